/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FOLIOSCOPE_OUT_H
#define FOLIOSCOPE_OUT_H

#include "oracle.h"

struct oracle_out {
	char *text;
	size_t used, size;
	size_t batch; /* where the open batch's first line starts */
	unsigned long lines;
	bool in_batch;
	bool broken;
};

/* Sends what was gathered to the host and empties the printer: oracle.c in the
 * module, main.c in the driver. */
void out_send(struct oracle_out *out);

/* Forgets what was gathered. */
void out_empty(struct oracle_out *out);

#endif
