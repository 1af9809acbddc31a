/* Texts of the CRD around the spec: inside lib/spec/out only. */
#ifndef STREAMJOB_JOBSPEC_CRD_H
#define STREAMJOB_JOBSPEC_CRD_H

extern const char crd_head[], crd_status[];

#endif
