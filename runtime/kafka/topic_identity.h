/*
 * Is the topic still the one that it was? A topic that was deleted and made anew has the same name and, once it is long
 * enough, an offset that fits, but other records. Inside runtime/kafka only.
 *
 * librdkafka 2.3 and later tell the topic's id. Before that, the record that a lane got last is looked at again:
 * another time stamp at its offset, or an end of the log below it, is another log.
 */
#ifndef STREAMJOB_KAFKA_TOPIC_IDENTITY_H
#define STREAMJOB_KAFKA_TOPIC_IDENTITY_H

#include "runtime/kafka/place.h"

struct kafka_reader;

/* "" where librdkafka or the broker does not tell it. -1: not to be had now. */
int reader_topic_id(struct kafka_reader *reader, char ret_id[PLACE_TOPIC_ID_MAX], struct error *err);

/* Whether the topic of this name has another id than the one that is read, and why; false where ids are not known. */
bool reader_other_topic(struct kafka_reader *reader, struct error *ret_why);

/* The monitor's: keeps a connection of its own where it needs one. */
struct topic_watch;
struct topic_watch *topic_watch_new(struct kafka_reader *reader);
void topic_watch_free(struct topic_watch *watch);
/* Whether the topic is certainly another one; `ret_why` says how that is known. */
bool topic_watch_changed(struct topic_watch *watch, struct error *ret_why);

/* The offsets are of another log: no silent jump, but the job fails, or by policy begins with the new log. Any thread
 * but the committer's. */
void reader_found_anew(struct kafka_reader *reader, const char *why);

#endif
