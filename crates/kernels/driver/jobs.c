// SPDX-License-Identifier: GPL-2.0
/*
 * The table of jobs, and their parameters.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "driver.h"

static const struct job *const tables[] = {
	walk_jobs, build_jobs, queue_jobs, memcg_jobs, lru_jobs, layout_jobs, kmem_jobs,
};

/* What stands for another job, which "of" names, over a ground of its own. */
#define JOB_OF_ANOTHER "kernel/partial"

u64 job_elements;

const struct job *job_named(const char *name, const struct params *p)
{
	const struct job *job;
	unsigned int i;

	if (!strcmp(name, JOB_OF_ANOTHER))
		name = param(p, "of", "");
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (job = tables[i]; job->name; job++)
			if (!strcmp(job->name, name))
				return job;
	return NULL;
}

void jobs_list(struct oracle_out *out)
{
	const struct job *job;
	unsigned int i;

	out_line(out, "job " JOB_OF_ANOTHER);
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (job = tables[i]; job->name; job++)
			out_line(out, "job %s", job->name);
}

const char *param(const struct params *p, const char *name, const char *otherwise)
{
	static char value[32];
	const size_t length = strlen(name);
	const char *line = p->text;

	while (line && *line) {
		const char *end = strchr(line, '\n');

		if (!strncmp(line, name, length) && line[length] == '=') {
			line += length + 1;
			snprintf(value, sizeof(value), "%.*s",
				 end ? (int)(end - line) : (int)strlen(line), line);
			return value;
		}
		line = end ? end + 1 : NULL;
	}
	return otherwise;
}

unsigned long param_number(const struct params *p, const char *name, unsigned long otherwise)
{
	const char *text = param(p, name, NULL);
	unsigned long value;

	return text && !kstrtoul(text, 10, &value) ? value : otherwise;
}

bool param_is(const struct params *p, const char *name, const char *value)
{
	return !strcmp(param(p, name, ""), value);
}
