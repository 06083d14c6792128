/* Experts on devices, and what does not fit: see load.h. */
#include "quant/load.h"

#include "reference/model/config.h"

#include <math.h>
#include <string.h>

enum { UNPLACED = UINT16_MAX };

const char *lfm_placement_name(enum lfm_placement placement)
{
    static const char *const names[LFM_PLACEMENTS] = {"contiguous", "round_robin", "balanced"};
    return names[placement];
}

static void place_contiguous(uint16_t *device_of, size_t experts, size_t devices)
{
    size_t small = experts / devices, larger = experts % devices, e = 0;
    for (size_t d = 0; d < devices; d++)
        for (size_t i = 0; i < small + (d < larger); i++) device_of[e++] = (uint16_t)d;
}

static size_t busiest_unplaced(const uint16_t *device_of, const uint32_t *counts, size_t experts)
{
    size_t best = experts;
    for (size_t e = 0; e < experts; e++)
        if (device_of[e] == UNPLACED && (best == experts || counts[e] > counts[best])) best = e;
    return best;
}

/* Of the devices with room for another expert. */
static size_t least_loaded(const uint64_t *loads, const size_t *held, size_t devices, size_t room)
{
    size_t best = devices;
    for (size_t d = 0; d < devices; d++)
        if (held[d] < room && (best == devices || loads[d] < loads[best])) best = d;
    return best;
}

static void place_balanced(uint16_t *device_of, const uint32_t *counts, size_t experts, size_t devices)
{
    uint64_t loads[LFM_MAX_EXPERTS] = {0};
    size_t held[LFM_MAX_EXPERTS] = {0};
    for (size_t e = 0; e < experts; e++) device_of[e] = UNPLACED;
    for (size_t i = 0; i < experts; i++) {
        size_t e = busiest_unplaced(device_of, counts, experts);
        size_t d = least_loaded(loads, held, devices, (experts + devices - 1) / devices);
        device_of[e] = (uint16_t)d;
        loads[d] += counts[e];
        held[d]++;
    }
}

void lfm_place_experts(uint16_t *device_of, enum lfm_placement placement, const uint32_t *counts, size_t experts,
                       size_t devices)
{
    if (placement == LFM_PLACE_CONTIGUOUS) place_contiguous(device_of, experts, devices);
    if (placement == LFM_PLACE_BALANCED) place_balanced(device_of, counts, experts, devices);
    for (size_t e = 0; placement == LFM_PLACE_ROUND_ROBIN && e < experts; e++) device_of[e] = (uint16_t)(e % devices);
}

double lfm_straggler(const uint32_t *counts, const uint16_t *device_of, size_t experts, size_t devices,
                     uint64_t *scratch)
{
    uint64_t most = 0, sum = 0;
    memset(scratch, 0, devices * sizeof *scratch);
    for (size_t e = 0; e < experts; e++) {
        scratch[device_of[e]] += counts[e];
        sum += counts[e];
    }
    for (size_t d = 0; d < devices; d++)
        if (scratch[d] > most) most = scratch[d];
    return (double)most * (double)devices / (double)sum;
}

double lfm_capacity(double factor, size_t batch, size_t per_token, size_t experts)
{
    return ceil(factor * (double)batch * (double)per_token / (double)experts * (1 - 1e-12));
}

double lfm_dropped(const uint32_t *counts, size_t experts, double capacity)
{
    double over = 0, sum = 0;
    for (size_t e = 0; e < experts; e++) {
        if ((double)counts[e] > capacity) over += (double)counts[e] - capacity;
        sum += (double)counts[e];
    }
    return over / sum;
}
