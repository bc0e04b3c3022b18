/* The second table: all that charts, claims and the report read. */
#ifndef STATS_SECOND_H
#define STATS_SECOND_H

/* Prints the lines of # and ! of the file of trials, then a row for each server, case and
 * metric: n trials of total are behind median, low and high. Where n is 0 these are of
 * all trials, and not to be trusted. The verdict is against --against, in the same case.
 * Last come the trials themselves: 1=23.4 was kept, 2!25.1 rejected, 3~30 limited by the
 * client.
 */
void second_table(void);

#endif
