/* What people do in the story, at random, and how its days pass. */
#ifndef ATES_TEST_STORY_LIFE_H
#define ATES_TEST_STORY_LIFE_H

#include "support/story.h"

/* Registers the first administrator and the others of a new story, and has payment's schedule begin.
 */
void story_people(struct story *story, uint64_t count);
/* A task is created or completed, or all are reassigned. */
void story_work(struct story *story);
/* Many tasks are created and completed, so that most people are to be paid. */
void story_rush(struct story *story, size_t tasks);
/* Passes this time, with about so many things happening meanwhile. */
void story_pass(struct story *story, int64_t ms, unsigned things);

#endif
