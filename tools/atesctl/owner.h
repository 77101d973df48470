/* Who works on a data folder. */
#ifndef CTL_OWNER_H
#define CTL_OWNER_H

/* What root would write into a service's folder, the service could no longer open: root becomes the
 * folder's owner, for good, and nobody else may work on it. Where there is no folder yet, nothing
 * changes. Returns CTL_OK, or another code with the reason said. */
int ctl_become_owner(const char *folder);

#endif
