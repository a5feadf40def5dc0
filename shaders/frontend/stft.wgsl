// PCM to spectrogram: one workgroup computes FRAMES frames of one clip.
//
// Gather and window on load, a real FFT of N_FFT samples as a complex one of POINTS = N_FFT / 2 in
// workgroup memory (Stockham, radix 8 with a radix 4 or 2 tail, elements in registers), squared
// magnitude, mel bands if the configuration has them, compression on store. Neither frames nor
// complex spectra reach global memory. The clip's smallest and largest value are kept by atomicMax
// on keys that order as the numbers do, so the order of execution cannot change them.
//
// Short frames share a workgroup, because a warp would otherwise be partly idle. With PACKED, two
// neighboring frames are the real and the imaginary part of one transform of POINTS = N_FFT. The
// louder frame's rounding error then appears in the quieter one.
//
// `stft_common.wgsl` goes before this text. CPU reference: src/frontend/cpu/stft.rs. Kernel
// implementations: src/frontend/gpu/kernels.rs.

override N_FFT: u32 = 2048u;
override POINTS: u32 = 1024u;       // N_FFT / 2; N_FFT if PACKED
override FRAMES: u32 = 1u;          // transforms per workgroup
override FRAME_LANES: u32 = 128u;   // invocations per transform
override LANES: u32 = 128u;         // invocations per workgroup: FRAMES * FRAME_LANES
override ROUNDS: u32 = 1u;          // FRAME_LANES * ROUNDS * 8 = POINTS: eights per invocation
override RADIX8_STAGES: u32 = 3u;   // 8^RADIX8_STAGES * TAIL = POINTS: with the first, from PCM
override TAIL: u32 = 2u;            // 1, 2 or 4
override PAD_SHIFT: u32 = 4u;       // one element of padding per 2^PAD_SHIFT: no bank conflicts
override FRAME_LEN: u32 = 1088u;    // POINTS + POINTS >> PAD_SHIFT
override WORK_LEN: u32 = 1088u;     // FRAMES * FRAME_LEN
override PACKED: bool = false;

@group(0) @binding(2) var<storage, read> window: array<f32>;          // [N_FFT]
@group(0) @binding(3) var<storage, read> twiddle: array<vec2<f32>>;   // exp(-2 pi i k / N_FFT)
@group(0) @binding(4) var<storage, read> mel_ends: array<u32>;        // see tables.rs, MelSegments
@group(0) @binding(5) var<storage, read> mel_weights: array<vec2<f32>>;

var<workgroup> work: array<vec2<f32>, WORK_LEN>;
var<private> own: u32; // where this invocation's transform begins
var<private> second_start: i32; // of a packed frame

struct Eight {
    a: vec2<f32>, b: vec2<f32>, c: vec2<f32>, d: vec2<f32>,
    e: vec2<f32>, f: vec2<f32>, g: vec2<f32>, h: vec2<f32>,
}
struct Four { a: vec2<f32>, b: vec2<f32>, c: vec2<f32>, d: vec2<f32> }

fn times_minus_i(x: vec2<f32>) -> vec2<f32> { return vec2<f32>(x.y, -x.x); }
fn place(i: u32) -> u32 { return own + i + (i >> PAD_SHIFT); }

fn dft4(a: vec2<f32>, b: vec2<f32>, c: vec2<f32>, d: vec2<f32>) -> Four {
    let ac = a + c;
    let bd = b + d;
    let a_c = a - c;
    let b_d = times_minus_i(b - d);
    return Four(ac + bd, a_c + b_d, ac - bd, a_c - b_d);
}

fn dft8(v: Eight) -> Eight {
    let o1 = v.b - v.f;
    let o3 = v.d - v.h;
    let even = dft4(v.a + v.e, v.b + v.f, v.c + v.g, v.d + v.h);
    let odd = dft4(
        v.a - v.e,
        vec2<f32>(o1.x + o1.y, o1.y - o1.x) * SQRT_HALF,
        times_minus_i(v.c - v.g),
        vec2<f32>(o3.y - o3.x, -o3.x - o3.y) * SQRT_HALF,
    );
    return Eight(even.a, odd.a, even.b, odd.b, even.c, odd.c, even.d, odd.d);
}

// Two neighboring real samples as one complex number. With PACKED, the same sample of two frames.
fn pair(base: u32, start: i32, i: u32) -> vec2<f32> {
    if (PACKED) {
        return vec2<f32>(sample(base, start, i), sample(base, second_start, i)) * window[i];
    }
    let at = 2u * i;
    return vec2<f32>(
        sample(base, start, at) * window[at],
        sample(base, start, at + 1u) * window[at + 1u],
    );
}

fn load_pcm(base: u32, start: i32, b: u32) -> Eight {
    let s = POINTS / 8u;
    return Eight(
        pair(base, start, b), pair(base, start, b + s),
        pair(base, start, b + 2u * s), pair(base, start, b + 3u * s),
        pair(base, start, b + 4u * s), pair(base, start, b + 5u * s),
        pair(base, start, b + 6u * s), pair(base, start, b + 7u * s),
    );
}

// Loads butterfly `b` of the radix 8 stage whose finished blocks are `done` long, and multiplies
// its inputs by their twiddles.
fn load8(b: u32, done: u32) -> Eight {
    let s = POINTS / 8u;
    let t = (b & (done - 1u)) * (N_FFT / (done * 8u));
    return Eight(
        work[place(b)],
        mul(work[place(b + s)], twiddle[t]),
        mul(work[place(b + 2u * s)], twiddle[2u * t]),
        mul(work[place(b + 3u * s)], twiddle[3u * t]),
        mul(work[place(b + 4u * s)], twiddle[4u * t]),
        mul(work[place(b + 5u * s)], twiddle[5u * t]),
        mul(work[place(b + 6u * s)], twiddle[6u * t]),
        mul(work[place(b + 7u * s)], twiddle[7u * t]),
    );
}

fn store8(b: u32, done: u32, v: Eight) {
    let k = b & (done - 1u);
    let to = (b - k) * 8u + k;
    work[place(to)] = v.a;
    work[place(to + done)] = v.b;
    work[place(to + 2u * done)] = v.c;
    work[place(to + 3u * done)] = v.d;
    work[place(to + 4u * done)] = v.e;
    work[place(to + 5u * done)] = v.f;
    work[place(to + 6u * done)] = v.g;
    work[place(to + 7u * done)] = v.h;
}

// The last stage writes where it read and needs no barrier inside.
fn tail4(b: u32) {
    let s = POINTS / 4u;
    let t = b * (N_FFT / POINTS);
    let v = dft4(
        work[place(b)],
        mul(work[place(b + s)], twiddle[t]),
        mul(work[place(b + 2u * s)], twiddle[2u * t]),
        mul(work[place(b + 3u * s)], twiddle[3u * t]),
    );
    work[place(b)] = v.a;
    work[place(b + s)] = v.b;
    work[place(b + 2u * s)] = v.c;
    work[place(b + 3u * s)] = v.d;
}

fn tail2(b: u32) {
    let s = POINTS / 2u;
    let x = work[place(b)];
    let y = mul(work[place(b + s)], twiddle[b * (N_FFT / POINTS)]);
    work[place(b)] = x + y;
    work[place(b + s)] = x - y;
}

// Powers of bins k and POINTS - k. With PACKED, of bin k of both frames.
fn unpack(k: u32) -> vec2<f32> {
    let z = work[place(k)];
    if (!PACKED) {
        if (k == 0u) { return edges(z); }
        return powers(z, work[place(POINTS - k)], twiddle[k]);
    }
    let m = work[place((POINTS - k) & (POINTS - 1u))];
    let a = 0.5 * vec2<f32>(z.x + m.x, z.y - m.y);
    let b = 0.5 * vec2<f32>(z.y + m.y, m.x - z.x);
    let scale = select(params.inner_scale, params.edge_scale, k == 0u || k == N_FFT / 2u);
    return vec2<f32>(dot(a, a), dot(b, b)) * scale;
}

// The power of a bin, once the frame's powers have replaced the transform.
fn power_of(bin: u32) -> vec2<f32> {
    if (PACKED) { return work[place(bin)]; }
    if (bin == POINTS) { return vec2<f32>(work[own].y, 0.0); }
    return vec2<f32>(work[place(bin)].x, 0.0);
}

@compute @workgroup_size(LANES)
fn stft(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
    let lane = invocation % FRAME_LANES;
    own = invocation / FRAME_LANES * FRAME_LEN;
    let unit = group.x * FRAMES + invocation / FRAME_LANES;
    let frame = select(unit, 2u * unit, PACKED);
    // The last workgroup of a clip may have frames beyond the end: it computes them and writes
    // nothing.
    let exists = frame < params.frames;
    let second = PACKED && frame + 1u < params.frames;
    let clip = group.y;
    let base = clip * params.clip_samples;
    if (AUGMENT) { augment = augments[clip]; }
    let start = frame_start(min(frame, params.frames - 1u));
    second_start = frame_start(frame + 1u);

    // First stage, from PCM: no twiddles.
    store8(lane, 1u, dft8(load_pcm(base, start, lane)));
    if (ROUNDS == 2u) { store8(lane + LANES, 1u, dft8(load_pcm(base, start, lane + LANES))); }
    workgroupBarrier();

    var done = 8u;
    for (var stage = 1u; stage < RADIX8_STAGES; stage++) {
        let first = load8(lane, done);
        var other: Eight;
        if (ROUNDS == 2u) { other = load8(lane + LANES, done); }
        workgroupBarrier();
        store8(lane, done, dft8(first));
        if (ROUNDS == 2u) { store8(lane + LANES, done, dft8(other)); }
        workgroupBarrier();
        done *= 8u;
    }
    if (TAIL == 4u) {
        for (var b = lane; b < POINTS / 4u; b += FRAME_LANES) { tail4(b); }
        workgroupBarrier();
    }
    if (TAIL == 2u) {
        for (var b = lane; b < POINTS / 2u; b += FRAME_LANES) { tail2(b); }
        workgroupBarrier();
    }

    let out = (clip * params.frames + frame) * params.rows;
    top = NO_VALUE;
    bottom = -NO_VALUE;
    // Each pair of bins belongs to one invocation, which may therefore overwrite it with powers.
    for (var k = lane; k <= POINTS / 2u; k += FRAME_LANES) {
        let power = unpack(k);
        if (MEL) {
            if (PACKED) {
                work[place(k)] = power;
            } else if (k == 0u) {
                work[own] = power;
            } else {
                work[place(POINTS - k)].x = power.y;
                work[place(k)].x = power.x;
            }
        } else if (exists) {
            keep(out, k, power.x);
            if (!PACKED) { keep(out, POINTS - k, power.y); }
            if (second) { keep(out + params.rows, k, power.y); }
        }
    }
    if (MEL) {
        workgroupBarrier();
        // Neighboring bands overlap: each bin between two mel points falls in one and rises in the
        // next. An invocation that has several neighboring bands reads most powers once.
        let bands = (params.rows + FRAME_LANES - 1u) / FRAME_LANES;
        let first = min(lane * bands, params.rows);
        let last = min(first + bands, params.rows);
        var bin = 0u;
        if (first > 0u) { bin = mel_ends[first - 1u]; }
        var rising = vec2<f32>(0.0);
        for (var segment = first; segment <= last && first < last; segment++) {
            var fall = vec2<f32>(0.0);
            var rise = vec2<f32>(0.0);
            let end = mel_ends[segment];
            for (; bin < end; bin++) {
                let power = power_of(bin);
                let weights = mel_weights[bin];
                fall += power * weights.x;
                rise += power * weights.y;
            }
            if (segment > first && exists) {
                let sum = rising + fall;
                keep(out, segment - 1u, sum.x);
                if (second) { keep(out + params.rows, segment - 1u, sum.y); }
            }
            rising = rise;
        }
    }

    // The workgroup's range, in the transform's memory: sixteen invocations reduce all, then one
    // reduces the sixteen. Features have no range.
    if (FEATURES) { return; }
    workgroupBarrier();
    work[invocation] = vec2<f32>(top, bottom);
    workgroupBarrier();
    if (invocation < 16u) {
        var best = work[invocation];
        for (var i = invocation + 16u; i < LANES; i += 16u) {
            best = vec2<f32>(max(best.x, work[i].x), min(best.y, work[i].y));
        }
        work[invocation] = best;
    }
    workgroupBarrier();
    if (invocation == 0u) {
        var best = work[0];
        for (var i = 1u; i < 16u; i++) {
            best = vec2<f32>(max(best.x, work[i].x), min(best.y, work[i].y));
        }
        if (best.x != NO_VALUE) {
            atomicMax(&range[2u * clip], key(best.x));
            atomicMax(&range[2u * clip + 1u], ~key(best.y));
        }
    }
}
