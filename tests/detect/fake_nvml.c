/* A stand-in for libnvidia-ml.so.1 that plays machines, chosen by the environment variable FAKE_NVML.
 * Layouts and versioned symbols are those of nvml.h as nvidia-ml-py calls them. With -DOLD_DRIVER the calls that
 * drivers before 510 lack are left out. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024ULL * 1024ULL)
enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, TOO_SMALL = 7, NOT_LOADED = 9,
       LOST = 15, MISMATCH = 18 };

typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory_v2_t;
typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; } pci_t;
typedef struct { unsigned pid; unsigned long long used; unsigned gi, ci; } process_t;
typedef struct { unsigned sms, copy, decoder, encoder, jpeg, ofa, gi, ci; unsigned long long memory_mib; } attributes_t;
typedef struct { unsigned version; unsigned char cluster[16]; unsigned status, clique, state, health; } fabric_t;

typedef struct {
    const char *scenario, *name;
    unsigned count, pci, major, minor;
    unsigned long long total_mib, used_mib;
    int ecc;              /* 1 on, 0 off, -1 not supported */
    unsigned links, link_version;
    unsigned limit, fallback, width, width_max, gen, gen_max;
} machine_t;

static const machine_t MACHINES[] = {
    {"8xh200", "NVIDIA H200", 8, 0x233510DE, 9, 0, 143771, 0, 1, 18, 6, 700000, 700000, 16, 16, 5, 5},
    {"no-fabric", "NVIDIA H200", 8, 0x233510DE, 9, 0, 143771, 0, 1, 18, 6, 700000, 700000, 16, 16, 5, 5},
    {"a100-mig", "NVIDIA A100-SXM4-80GB", 1, 0x20B210DE, 8, 0, 81920, 50, 1, 12, 4, 400000, 400000, 16, 16, 4, 4},
    {"gb10-unsupported", "NVIDIA GB10", 1, 0x2E1210DE, 12, 1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0},
    {"gb10-zero", "NVIDIA GB10", 1, 0x2E1210DE, 12, 1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0},
    {"lost", "NVIDIA H100 80GB HBM3", 4, 0x233010DE, 9, 0, 81559, 4, 1, 18, 6, 700000, 700000, 16, 16, 5, 5},
    {"lost-handle", "NVIDIA H100 80GB HBM3", 4, 0x233010DE, 9, 0, 81559, 4, 1, 18, 6, 700000, 700000, 16, 16, 5, 5},
    {"2x4090", "NVIDIA GeForce RTX 4090", 2, 0x268410DE, 8, 9, 24564, 700, 0, 0, 0, 450000, 450000, 8, 16, 1, 4},
    {"4x3090-bridged", "NVIDIA GeForce RTX 3090", 4, 0x220410DE, 8, 6, 24576, 10, -1, 4, 4, 300000, 350000, 16, 16, 1, 4},
    {"vgpu", "GRID A100D-10C", 1, 0x20B510DE, 8, 0, 10240, 10, 1, 0, 0, 0, 0, 0, 0, 0, 0},
    {"garbage", "\x1b[31mEvil\xff\xfe\nGPU", 1, 0xFFFFFFFF, 99, 99, 1ULL << 43, 0, 1, 0, 0, 1, 1, 99, 99, 99, 99},
    {"no-devices", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
};

static const machine_t *machine(void) {
    const char *name = getenv("FAKE_NVML");
    for (unsigned i = 0; i < sizeof MACHINES / sizeof *MACHINES; i++)
        if (name && !strcmp(name, MACHINES[i].scenario)) return &MACHINES[i];
    return &MACHINES[sizeof MACHINES / sizeof *MACHINES - 1];
}
static int plays(const char *scenario) {
    const char *name = getenv("FAKE_NVML");
    return name && !strcmp(name, scenario);
}

/* Handles: 1 + index for devices, 1000 + index for slices. */
static unsigned of(void *handle) { return (unsigned)(uintptr_t)handle - 1; }
static int slice_of(void *handle) { unsigned n = (unsigned)(uintptr_t)handle; return n >= 1000 ? (int)(n - 1000) : -1; }
static int gone(void *handle) { return plays("lost") && of(handle) == 2; }
#define ALIVE(handle) if (gone(handle)) return LOST

static const struct { const char *profile; unsigned mib, used, sms; } SLICES[] = {
    {"3g.40gb", 40448, 1200, 42}, {"2g.20gb", 19968, 12, 28}, {"", 0, 0, 0}, {"1g.10gb", 9856, 12, 14},
};

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    if (plays("mismatch")) return MISMATCH;
    if (plays("no-permission")) return NO_PERMISSION;
    if (plays("not-loaded")) return NOT_LOADED;
    if (plays("strange")) return 4711;
    return OK;
}
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { static char text[64]; snprintf(text, sizeof text, "code %d", code); return text; }
int nvmlSystemGetDriverVersion(char *out, unsigned size) { snprintf(out, size, "570.124.06"); return OK; }
int nvmlSystemGetCudaDriverVersion_v2(int *out) { *out = 12080; return OK; }
int nvmlSystemGetProcessName(unsigned pid, char *out, unsigned size) { snprintf(out, size, "/usr/bin/worker-%u", pid); return OK; }
int nvmlDeviceGetCount_v2(unsigned *out) { *out = machine()->count; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out) {
    if (index >= machine()->count) return INVALID;
    if (plays("lost-handle") && index == 2) return LOST;
    *out = (void *)(uintptr_t)(index + 1);
    return OK;
}
int nvmlDeviceGetName(void *handle, char *out, unsigned size) {
    ALIVE(handle);
    int slice = slice_of(handle);
    if (slice >= 0) snprintf(out, size, "%s MIG %s", machine()->name, SLICES[slice].profile);
    else snprintf(out, size, "%s", machine()->name);
    return OK;
}
static void write_bus(unsigned index, char *out, size_t size) { snprintf(out, size, "00000000:%02X:00.0", 0x10 + index); }
int nvmlDeviceGetPciInfo_v3(void *handle, pci_t *out) {
    ALIVE(handle);
    memset(out, 0, sizeof *out);
    out->id = machine()->pci;
    write_bus(of(handle), out->bus_id, sizeof out->bus_id);
    return OK;
}
int nvmlDeviceGetUUID(void *handle, char *out, unsigned size) {
    ALIVE(handle);
    if (slice_of(handle) >= 0) snprintf(out, size, "MIG-%08d-aaaa-bbbb-cccc-000000000000", slice_of(handle));
    else snprintf(out, size, "GPU-%08u-1111-2222-3333-444444444444", of(handle));
    return OK;
}
int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor) {
    ALIVE(handle);
    *major = machine()->major;
    *minor = machine()->minor;
    return OK;
}
static unsigned long long used_mib(void *handle) {
    if (plays("8xh200") && of(handle) == 3) return 20480;
    return machine()->used_mib;
}
int nvmlDeviceGetMemoryInfo(void *handle, memory_t *out) {
    ALIVE(handle);
    if (plays("gb10-unsupported")) return NOT_SUPPORTED;
    int slice = slice_of(handle);
    out->total = (slice >= 0 ? SLICES[slice].mib : machine()->total_mib) * MIB;
    out->used = (slice >= 0 ? SLICES[slice].used : used_mib(handle)) * MIB;
    out->free = out->total - out->used;
    return OK;
}
#ifndef OLD_DRIVER
int nvmlDeviceGetMemoryInfo_v2(void *handle, memory_v2_t *out) {
    memory_t plain;
    if (out->version != 0x02000028) return 25;
    int code = nvmlDeviceGetMemoryInfo(handle, &plain);
    if (code) return code;
    out->reserved = slice_of(handle) < 0 && plain.total ? 600 * MIB : 0;
    out->total = plain.total;
    out->used = plain.used;
    out->free = plain.free - out->reserved;
    return OK;
}
#endif
int nvmlDeviceGetEccMode(void *handle, unsigned *current, unsigned *pending) {
    ALIVE(handle);
    if (machine()->ecc < 0) return NOT_SUPPORTED;
    *current = *pending = (unsigned)machine()->ecc;
    return OK;
}
int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    ALIVE(handle);
    if (!plays("a100-mig") && !plays("8xh200")) return NOT_SUPPORTED;
    *current = *pending = plays("a100-mig");
    return OK;
}
int nvmlDeviceGetTemperature(void *handle, unsigned sensor, unsigned *out) { ALIVE(handle); (void)sensor; *out = 31; return OK; }
int nvmlDeviceGetVirtualizationMode(void *handle, unsigned *out) { ALIVE(handle); *out = plays("vgpu") ? 2 : 0; return OK; }
#define PLAIN(call, field) \
    int call(void *handle, unsigned *out) { ALIVE(handle); if (!machine()->field) return NOT_SUPPORTED; *out = machine()->field; return OK; }
PLAIN(nvmlDeviceGetCurrPcieLinkGeneration, gen)
PLAIN(nvmlDeviceGetMaxPcieLinkGeneration, gen_max)
PLAIN(nvmlDeviceGetCurrPcieLinkWidth, width)
PLAIN(nvmlDeviceGetMaxPcieLinkWidth, width_max)
PLAIN(nvmlDeviceGetPowerManagementDefaultLimit, fallback)
int nvmlDeviceGetEnforcedPowerLimit(void *handle, unsigned *out) {
    ALIVE(handle);
    if (!machine()->limit) return NOT_SUPPORTED;
    *out = plays("8xh200") && of(handle) == 5 ? 500000 : machine()->limit;
    return OK;
}
int nvmlDeviceGetPowerUsage(void *handle, unsigned *out) { ALIVE(handle); *out = 76543; return OK; }
int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *out) { ALIVE(handle); *out = 7; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **out) {
    ALIVE(handle);
    if (index >= 4 || !SLICES[index].mib) return NOT_FOUND;
    *out = (void *)(uintptr_t)(1000 + index);
    return OK;
}
int nvmlDeviceGetAttributes_v2(void *handle, attributes_t *out) {
    int slice = slice_of(handle);
    if (slice < 0) return NOT_SUPPORTED;
    memset(out, 0, sizeof *out);
    out->sms = SLICES[slice].sms;
    out->memory_mib = SLICES[slice].mib;
    return OK;
}
#ifndef OLD_DRIVER
int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, process_t *out) {
    ALIVE(handle);
    if (plays("2x4090")) return NO_PERMISSION;
    if (!plays("8xh200") || of(handle) != 3) { *count = 0; return OK; }
    if (*count < 2) { *count = 2; return TOO_SMALL; }
    *count = 2;
    out[0] = (process_t){4242, 1024 * MIB, 0xFFFFFFFF, 0xFFFFFFFF};
    out[1] = (process_t){4243, 19456 * MIB, 0xFFFFFFFF, 0xFFFFFFFF};
    return OK;
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, process_t *out) {
    (void)out;
    ALIVE(handle);
    *count = 0;
    return OK;
}
int nvmlDeviceGetGpuFabricInfoV(void *handle, fabric_t *out) {
    ALIVE(handle);
    if (!plays("8xh200") && !plays("no-fabric")) return NOT_SUPPORTED;
    out->status = OK;
    out->state = plays("no-fabric") ? 2 : 3;
    return OK;
}
#endif
int nvmlDeviceGetNvLinkState(void *handle, unsigned link, unsigned *out) {
    ALIVE(handle);
    if (!machine()->links) return NOT_SUPPORTED;
    if (link >= machine()->links) return INVALID;
    *out = !plays("no-fabric");
    return OK;
}
int nvmlDeviceGetNvLinkVersion(void *handle, unsigned link, unsigned *out) { ALIVE(handle); (void)link; *out = machine()->link_version; return OK; }
int nvmlDeviceGetNvLinkRemoteDeviceType(void *handle, unsigned link, unsigned *out) {
    ALIVE(handle);
    (void)link;
    *out = plays("4x3090-bridged") ? 0 : 2;
    return OK;
}
int nvmlDeviceGetNvLinkRemotePciInfo_v2(void *handle, unsigned link, pci_t *out) {
    ALIVE(handle);
    (void)link;
    memset(out, 0, sizeof *out);
    write_bus(of(handle) ^ 1, out->bus_id, sizeof out->bus_id);
    return OK;
}
int nvmlDeviceGetTopologyCommonAncestor(void *one, void *other, unsigned *out) {
    ALIVE(one);
    ALIVE(other);
    *out = of(one) / 4 == of(other) / 4 ? 30 : 50;
    return OK;
}
int nvmlDeviceGetP2PStatus(void *one, void *other, unsigned what, unsigned *out) {
    ALIVE(one);
    ALIVE(other);
    (void)what;
    *out = plays("2x4090") ? 5 : 0;
    return OK;
}
