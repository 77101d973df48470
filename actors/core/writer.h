/* Writes msgpack values into a buffer, each in its shortest form. */
#ifndef ATES_WRITER_H
#define ATES_WRITER_H

#include <ates/message.h>

void ates_write_nil(struct ates_buffer *out);
void ates_write_bool(struct ates_buffer *out, bool value);
void ates_write_unsigned(struct ates_buffer *out, uint64_t value);
void ates_write_signed(struct ates_buffer *out, int64_t value);
void ates_write_text(struct ates_buffer *out, const char *data, size_t size);
void ates_write_bytes(struct ates_buffer *out, const void *data, size_t size);
/* Bytes that are whole encoded values already. */
void ates_write_encoded(struct ates_buffer *out, const void *data, size_t size);
/* The heads of a list of count items and a map of count pairs, which the caller writes next. */
void ates_write_list(struct ates_buffer *out, size_t count);
void ates_write_map(struct ates_buffer *out, size_t count);

#endif
