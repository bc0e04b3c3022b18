/* The command line, by getopt_long(3). Bad usage is one line on stderr and exit status 2.
 */
#ifndef ARGS_H
#define ARGS_H

#include "net.h"
#include <stdbool.h>

/* One option. Exactly one of the pointers says where its value goes and of what kind it
 * is; the variable's initial value is the default. A list of them ends with name NULL. */
struct opt {
	char letter; /* short form, 0 for none */
	const char *name; /* long form */
	const char *value; /* what --help calls the value; NULL for a flag */
	const char *help; /* NULL: accepted, but --help does not show it */
	bool *flag;
	long *number; /* from min to max */
	double *real; /* from min to max */
	const char **text;
	int *choice; /* index into value, which reads "one|two|three" */
	double min, max;
};

/* Parses argv; `operands` is what follows the options in the usage line ("" for nothing,
 * and then nothing is accepted). Returns the index of the first operand. --help prints
 * `summary` and the options, and exits 0. */
int args_parse(int argc, char **argv, const char *summary, const char *operands,
	const struct opt *opts);

/* Every lab server's options, --port (8080; 0 asks the kernel for a free one) and --bind
 * (127.0.0.1), and the lab's own, which may be NULL. Returns the address to listen on. */
struct address args_server(
	int argc, char **argv, const char *summary, const struct opt *own);

#endif
