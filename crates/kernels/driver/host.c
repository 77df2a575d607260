// SPDX-License-Identifier: GPL-2.0
/*
 * The host's side of the driver: signals, clock and huge pages.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

/* Linux 6.1; headers may be older. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

int host_begin(int parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return errno;
	/* The parent may have died before it was asked for. */
	return getppid() == parent ? 0 : ESRCH;
}

long host_read(int fd, void *into, unsigned long bytes)
{
	ssize_t n = read(fd, into, bytes);

	return n < 0 ? -errno : n;
}

long host_write(int fd, const void *from, unsigned long bytes)
{
	ssize_t n = write(fd, from, bytes);

	return n < 0 ? -errno : n;
}

static void tick(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(how, &set, 0);
}

void host_hold_tick(void)
{
	tick(SIG_BLOCK);
}

void host_release_tick(void)
{
	tick(SIG_UNBLOCK);
}

int host_tick_pending(void)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, SIGALRM);
}

unsigned long long host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

int host_collapse(void *start, unsigned long bytes)
{
	int err = 0;

	if (madvise(start, bytes, MADV_HUGEPAGE))
		err = errno;
	if (madvise(start, bytes, MADV_COLLAPSE))
		err = errno;
	else
		err = 0;
	return err;
}
