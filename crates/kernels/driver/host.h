/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the driver asks of the host. Compiled against the host's libc on one
 * side and against the kernel's headers on the other, so plain types only.
 */
#ifndef FOLIOSCOPE_HOST_H
#define FOLIOSCOPE_HOST_H

/* Dies with the parent. 0, or an errno where that one is gone already. */
int host_begin(int parent);

/* As read and write; a negative errno where they fail. */
long host_read(int fd, void *into, unsigned long bytes);
long host_write(int fd, const void *from, unsigned long bytes);

/* Holds the host's timer signal, and with it the kernel's tick; lets it go. */
void host_hold_tick(void);
void host_release_tick(void);

/* Whether the timer signal came while it was held. */
int host_tick_pending(void);

/* CLOCK_MONOTONIC_RAW in nanoseconds. */
unsigned long long host_ns(void);

/*
 * Asks for huge pages behind a range of the kernel's memory and collapses what
 * is there already. 0 or an errno of the host.
 */
int host_collapse(void *start, unsigned long bytes);

#endif
