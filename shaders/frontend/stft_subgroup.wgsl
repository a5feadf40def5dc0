// PCM to spectrogram in the registers of one subgroup: SIZE invocations compute one frame of 64 *
// SIZE samples, on adapters where every subgroup has SIZE invocations.
//
// Each invocation holds 32 of the 32 * SIZE complex points. Points SIZE apart are transformed in
// its registers, then across invocations by radix 2 butterflies of subgroupShuffleXor, which leave
// them in bit-reversed order. A bin's mirror is then in the invocation whose number is the
// complement. Workgroup memory only brings powers into the order of bins, for adjacent stores and
// for mel bands, and needs one barrier.
//
// `stft_common.wgsl` and `stft_dft32.wgsl` go before this text. CPU reference:
// src/frontend/cpu/stft.rs. Kernel implementations: src/frontend/gpu/kernels.rs.

override SIZE: u32 = 32u;
override STAGES: u32 = 5u;      // log2 of SIZE
override N_FFT: u32 = 2048u;
override POINTS: u32 = 1024u;
override WORK_LEN: u32 = 1057u; // place(POINTS) + 1

@group(0) @binding(2) var<storage, read> window: array<f32>;          // [N_FFT]
@group(0) @binding(3) var<storage, read> twiddle: array<vec2<f32>>;   // exp(-2 pi i k / N_FFT)
@group(0) @binding(4) var<storage, read> mel_ends: array<u32>;        // see tables.rs, MelSegments
@group(0) @binding(5) var<storage, read> mel_weights: array<vec2<f32>>;

var<workgroup> work: array<f32, WORK_LEN>;

alias point = vec2<f32>;
fn down(x: point) -> point { return point(x.y, -x.x); } // times -i

// The element of a bin. Padding avoids bank conflicts, because bins 32 apart are written together.
fn place(bin: u32) -> u32 { return bin + (bin >> 5u); }

// Maps an invocation's number to its position in the order that the butterflies leave, and back.
fn reversed(i: u32) -> u32 { return reverseBits(i) >> (32u - STAGES); }

@compute @workgroup_size(SIZE)
fn stft(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    let frame = group.x;
    let clip = group.y;
    let base = clip * params.clip_samples;
    if (AUGMENT) { augment = augments[clip]; }
    let start = frame_start(frame);

    for (var j = 0u; j < 32u; j++) {
        let at = 2u * (lane + SIZE * j);
        let x = point(sample(base, start, at), sample(base, start, at + 1u));
        all[j] = x * point(window[at], window[at + 1u]);
    }
    dft32();
    for (var k = 0u; k < 32u; k++) { all[k] = mul(all[k], twiddle[2u * lane * k]); }
    for (var apart = SIZE / 2u; apart > 0u; apart /= 2u) {
        let upper = (lane & apart) != 0u;
        let w = twiddle[(lane & (apart - 1u)) * (N_FFT / 2u / apart)];
        for (var k = 0u; k < 32u; k++) {
            let mine = all[k];
            let other = subgroupShuffleXor(mine, apart);
            all[k] = select(mine + other, mul(other - mine, w), upper);
        }
    }

    // all[k] is bin k + 32 m of the half-length transform. Its mirror is bin
    // 32 - k + 32 (SIZE - 1 - m).
    let m = reversed(lane);
    for (var k = 1u; k < 16u; k++) {
        let bin = k + 32u * m;
        let power = powers(all[k], subgroupShuffleXor(all[32u - k], SIZE - 1u), twiddle[bin]);
        work[place(bin)] = power.x;
        work[place(POINTS - bin)] = power.y;
    }
    let middle = 16u + 32u * m;
    let opposite = subgroupShuffleXor(all[16], SIZE - 1u);
    work[place(middle)] = powers(all[16], opposite, twiddle[middle]).x;
    let mirror = subgroupShuffle(all[0], reversed((SIZE - m) % SIZE));
    if (m == 0u) {
        let power = edges(all[0]);
        work[0] = power.x;
        work[place(POINTS)] = power.y;
    } else {
        work[place(32u * m)] = powers(all[0], mirror, twiddle[32u * m]).x;
    }
    workgroupBarrier();

    let out = (clip * params.frames + frame) * params.rows;
    top = NO_VALUE;
    bottom = -NO_VALUE;
    if (MEL) {
        // As in stft.wgsl: each invocation has several neighboring bands and reads most powers
        // once.
        let share = (params.rows + SIZE - 1u) / SIZE;
        let first = min(lane * share, params.rows);
        let last = min(first + share, params.rows);
        var bin = 0u;
        if (first > 0u) { bin = mel_ends[first - 1u]; }
        var rising = 0.0;
        for (var segment = first; segment <= last && first < last; segment++) {
            var sums = vec2<f32>(0.0);
            let end = mel_ends[segment];
            for (; bin < end; bin++) { sums += work[place(bin)] * mel_weights[bin]; }
            if (segment > first) { keep(out, segment - 1u, rising + sums.x); }
            rising = sums.y;
        }
    } else {
        for (var row = lane; row <= POINTS; row += SIZE) { keep(out, row, work[place(row)]); }
    }
    // The loops above differ in length between invocations. All must be here before the subgroup
    // reduces: not every driver brings a subgroup back together behind a loop by itself.
    workgroupBarrier();
    top = subgroupMax(top);
    bottom = subgroupMin(bottom);
    if (lane == 0u && top != NO_VALUE) {
        atomicMax(&range[2u * clip], key(top));
        atomicMax(&range[2u * clip + 1u], ~key(bottom));
    }
}
