/* An LMDB environment: what the log's and the state's have in common.
 *
 * Invariants: LMDB's default flags only; LMDB's errors are mapped here and nowhere else. */
#ifndef ATES_ENVIRONMENT_H
#define ATES_ENVIRONMENT_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens (creates where missing, its folder too) the environment in folder path, for table_count
 * named tables (0: only the unnamed one), and drops the readers of processes that have died.
 * Returns 0, or -errno with a line in error that names path. One environment a path in a process;
 * mdb_env_close ends it. */
int ates_environment_open(MDB_env **env, const char *path, size_t map_size, unsigned table_count,
                          char *error, size_t error_size);

/* Opens an environment that is there for reading only, while another process may be writing to it.
 * Its unnamed table only. As above, but that nothing is made. */
int ates_environment_open_read(MDB_env **env, const char *path, char *error, size_t error_size);

/* Drops the readers of processes that have died. 0 or -errno. */
int ates_environment_drop_dead_readers(MDB_env *env);

/* Removes the environment in folder name below the open folder, or what is there of it. 0 or -errno.
 */
int ates_environment_remove(int folder, const char *name);

/* How full the map is, in permille of map_size (LMDB never gives pages back, so this is the
 * high-water mark). */
unsigned ates_environment_used_permille(MDB_env *env, size_t map_size);

/* Whether the file system that holds path has this much free space. One that does not tell is taken
 * to have it: the write itself will show. */
bool ates_environment_has_room(const char *path, uint64_t bytes);

/* Has the process end with one clear line where a mapped file turns out shorter than it should be (SIGBUS), by a
 * damaged or exchanged file or a failing disk. For the programs' main. */
void ates_environment_explain_faults(void);

/* LMDB's result as ours: 0 done, ATES_NOT_FOUND, -ENOSPC where the map or the disk is full, another
 * -errno. */
int ates_environment_result(int mdb_result);

#endif
