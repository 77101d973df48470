/* W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/): which request of which other
 * system a command, an event or a log line belongs to. A `traceparent` is carried on as it came: no
 * service makes spans of its own. */
#ifndef ATES_TRACE_H
#define ATES_TRACE_H

#include <ates/message.h>

#define ATES_TRACE_ID_SIZE 33u /* 32 hex digits and a NUL */

/* Whether the text is a traceparent. One that is not is to be ignored, as the standard wants. */
bool ates_trace_is_valid(struct ates_text traceparent);
/* Its trace id into out; false, with out empty, where it is none. */
bool ates_trace_id(struct ates_text traceparent, char out[ATES_TRACE_ID_SIZE]);
/* Whether its sender records this trace (the flag `sampled`). */
bool ates_trace_is_sampled(struct ates_text traceparent);

#endif
