/* The program's version, as `lfmscope --version` and every result file state it. */
#ifndef LFM_BASE_VERSION_H
#define LFM_BASE_VERSION_H

#define LFM_VERSION "0.1.0"

#endif
