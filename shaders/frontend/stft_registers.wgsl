// PCM to spectrogram, for adapters that are processors: sixteen invocations compute one frame of
// 2048 samples.
//
// Such an adapter runs about eight invocations in a vector register. Barriers are expensive there,
// and so are loads from storage or workgroup memory, because they run lane by lane: on llvmpipe
// about 8 ns per value, and 3 per value stored, as long as the arithmetic for several values. A
// value of a uniform buffer takes 0.5 ns.
//
// The 1024 points are therefore 32 x 32: each invocation holds 64 of them in registers, and they
// cross workgroup memory once. First come columns 2c and 2c + 1, from PCM. Then come rows k and
// 32 - k, which hold each other's mirrored bins, so that the real transform is unpacked in
// registers. Tables are in uniform buffers, in the order of use. A real GPU has too few registers
// for this kernel, and the plan never chooses it there.
//
// `stft_common.wgsl` and `stft_dft32.wgsl` go before this text. CPU reference:
// src/frontend/cpu/stft.rs. Kernel implementations: src/frontend/gpu/kernels.rs.

const N_FFT: u32 = 2048u;
const POINTS: u32 = 1024u;
const SIDE: u32 = 32u;
const LANES: u32 = 16u;

@group(0) @binding(2) var<uniform> window: array<vec4<f32>, 512>;
// [c][k]: exp(-2 pi i c k / POINTS) of both columns.
@group(0) @binding(3) var<uniform> between: array<vec4<f32>, 512>;
@group(0) @binding(4) var<uniform> mel_ends: array<vec4<u32>, 129>;
@group(0) @binding(5) var<uniform> mel_weights: array<vec4<f32>, 513>; // two bins each
// [k][i]: exp(-2 pi i bin / N_FFT), in the order in which `stft` unpacks bins.
@group(0) @binding(9) var<uniform> bins: array<vec4<f32>, 256>;

var<workgroup> work: array<vec2<f32>, 1025>;
// Two complex numbers, of two columns or rows.
alias point = vec4<f32>;
fn down(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(x.y, -x.x, x.w, -x.z); } // times -i
fn mul_each(x: vec4<f32>, w: vec4<f32>) -> vec4<f32> { return x * w.xxzz - down(x) * w.yyww; }

// Keeps bins `bin` and POINTS - bin: as cells, or as powers for the bands.
fn put(out: u32, bin: u32, power: vec2<f32>) {
    if (MEL) {
        work[bin].x = power.x;
        work[POINTS - bin].x = power.y;
    } else {
        keep(out, bin, power.x);
        keep(out, POINTS - bin, power.y);
    }
}

// Keeps bands `first` to `last`. Each bin between two mel points falls in one band and rises in the
// next.
fn bands(out: u32, first: u32, last: u32) {
    var bin = 0u;
    if (first > 0u) { bin = mel_ends[(first - 1u) >> 2u][(first - 1u) & 3u]; }
    var rising = 0.0;
    for (var segment = first; segment <= last && first < last; segment++) {
        var sums = vec2<f32>(0.0);
        let end = mel_ends[segment >> 2u][segment & 3u];
        for (; bin < end; bin++) {
            let two = mel_weights[bin >> 1u];
            sums += work[bin].x * select(two.xy, two.zw, (bin & 1u) == 1u);
        }
        if (segment > first) { keep(out, segment - 1u, rising + sums.x); }
        rising = sums.y;
    }
}

@compute @workgroup_size(LANES)
fn stft(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let frame = group.x;
    let clip = group.y;
    let base = clip * params.clip_samples;
    if (AUGMENT) { augment = augments[clip]; }
    let start = frame_start(frame);

    for (var j = 0u; j < SIDE; j++) {
        let q = lane + LANES * j;
        let x = vec4<f32>(
            sample(base, start, 4u * q), sample(base, start, 4u * q + 1u),
            sample(base, start, 4u * q + 2u), sample(base, start, 4u * q + 3u),
        );
        all[j] = x * window[q];
    }
    dft32();
    for (var k = 0u; k < SIDE; k++) {
        let x = mul_each(all[k], between[lane * SIDE + k]);
        work[SIDE * k + 2u * lane] = x.xy;
        work[SIDE * k + 2u * lane + 1u] = x.zw;
    }
    workgroupBarrier();

    // Row k has bins k + 32 i. Rows 0 and 16 mirror themselves and are one invocation's.
    let other = select(SIDE - lane, SIDE / 2u, lane == 0u);
    for (var j = 0u; j < SIDE; j++) {
        all[j] = vec4<f32>(work[SIDE * lane + j], work[SIDE * other + j]);
    }
    dft32();
    // All rows must have been read before powers overwrite them.
    if (MEL) { workgroupBarrier(); }

    let out = (clip * params.frames + frame) * params.rows;
    top = NO_VALUE;
    bottom = -NO_VALUE;
    if (lane == 0u) { put(out, 0u, edges(all[0].xy)); }
    for (var i = 0u; i < SIDE; i++) {
        let two = bins[lane * 16u + (i >> 1u)];
        let w = select(two.xy, two.zw, (i & 1u) == 1u);
        var bin = lane + SIDE * i;
        var z = all[i].xy;
        var m = all[SIDE - 1u - i].zw;
        if (lane == 0u && i < 16u) {
            let at = select(i, 16u, i == 0u);
            bin = SIDE * at;
            z = all[at].xy;
            m = all[SIDE - at].xy;
        } else if (lane == 0u) {
            let at = i - 16u;
            bin = 16u + SIDE * at;
            z = all[at].zw;
            m = all[SIDE - 1u - at].zw;
        }
        put(out, bin, powers(z, m, w));
    }
    if (MEL) {
        workgroupBarrier();
        let share = (params.rows + LANES - 1u) / LANES;
        let first = min(lane * share, params.rows);
        bands(out, first, min(first + share, params.rows));
    }
    if (top != NO_VALUE) {
        atomicMax(&range[2u * clip], key(top));
        atomicMax(&range[2u * clip + 1u], ~key(bottom));
    }
}
