/* Three kinds of bad news. All print one line, `program: what[: reason]`, on stderr. */
#ifndef ERR_H
#define ERR_H

/* Set-up failed. Appends strerror(errno), exits with status 1. */
_Noreturn void die_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The command line or the environment is wrong. Exits with status 2. */
_Noreturn void die_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Something went wrong, the program goes on. Appends strerror(errno), keeps errno. */
void warn_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
