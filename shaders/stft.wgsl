// PCM to decibels: one workgroup makes one frame of one clip.
//
// Gather and window on load, a real FFT of N_FFT samples as a complex one of POINTS = N_FFT / 2 in workgroup memory
// (Stockham, radix 8 with a radix 4 or 2 tail, elements in registers), squared magnitude, mel bands if the settings
// have them, decibels on store. Neither frames nor complex spectra ever reach global memory. The clip's own smallest
// and largest value are kept by atomicMax on keys that order as the numbers do: no order of execution can change them.
//
// Twin: src/frontend/cpu/stft.rs. Plan: src/frontend/plan.rs.

override N_FFT: u32 = 2048u;
override POINTS: u32 = 1024u;       // N_FFT / 2
override LANES: u32 = 128u;         // invocations a workgroup
override ROUNDS: u32 = 1u;          // groups of eight elements an invocation: LANES * ROUNDS * 8 = POINTS
override RADIX8_STAGES: u32 = 3u;   // after the first, which reads PCM: 8^RADIX8_STAGES * TAIL = POINTS
override TAIL: u32 = 2u;            // 1, 2 or 4
override PAD_SHIFT: u32 = 4u;       // one element of padding every 2^PAD_SHIFT: against bank conflicts
override WORK_LEN: u32 = 1088u;     // POINTS + POINTS >> PAD_SHIFT
override MEL: bool = false;
override AUGMENT: bool = false;      // for training: see struct Augment

struct Params {
    clip_samples: u32,
    frames: u32,
    rows: u32,
    hop: u32,
    lead: i32,        // samples of a frame before its own time: 0, or N_FFT / 2 when centred
    reflect: u32,     // outside the clip: 0 zeros, 1 mirrored
    amin: f32,        // smallest power told apart; 0: a power of zero has no value
    edge_scale: f32,  // of DC and Nyquist
    inner_scale: f32, // of every other bin
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

// What is done to a clip's samples before windowing: mix with the clip after it, gain (and polarity), noise; how its frames
// are taken; and a filter.
struct Augment {
    gain: f32,
    noise: f32, // amplitude of uniform noise
    mix: f32,   // share of the next clip
    seed: u32,  // of the noise
    tempo: f32, // of the frames' places
    pitch: f32, // of the samples' places about a frame's middle
    equaliser: array<f32, 6>, // dB of cos(pi k (row + 1/2) / rows), k from 1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pcm: array<f32>;             // [clip][sample]
@group(0) @binding(2) var<storage, read> window: array<f32>;          // [N_FFT]
@group(0) @binding(3) var<storage, read> twiddle: array<vec2<f32>>;   // exp(-2 pi i k / N_FFT)
@group(0) @binding(4) var<storage, read> mel_rows: array<vec4<u32>>;  // start, len, offset
@group(0) @binding(5) var<storage, read> mel_weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> db: array<f32>;        // [clip][frame][row]
@group(0) @binding(7) var<storage, read_write> range: array<atomic<u32>>; // [clip]: key of max, inverted key of min
@group(0) @binding(8) var<storage, read> augments: array<Augment>;    // [clip]

var<private> augment: Augment;
var<workgroup> work: array<vec2<f32>, WORK_LEN>;

const NO_VALUE: f32 = -3.0e38;
const SMALLEST_NORMAL: f32 = 1.17549435e-38;
const SQRT_HALF: f32 = 0.70710678118654752;
const DB_PER_LOG2: f32 = 3.01029995663981195;

struct Eight { a: vec2<f32>, b: vec2<f32>, c: vec2<f32>, d: vec2<f32>, e: vec2<f32>, f: vec2<f32>, g: vec2<f32>, h: vec2<f32> }
struct Four { a: vec2<f32>, b: vec2<f32>, c: vec2<f32>, d: vec2<f32> }

fn mul(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(x.x * y.x - x.y * y.y, x.x * y.y + x.y * y.x);
}
fn times_minus_i(x: vec2<f32>) -> vec2<f32> { return vec2<f32>(x.y, -x.x); }
fn place(i: u32) -> u32 { return i + (i >> PAD_SHIFT); }

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

// Jarzynski and Olano 2020, "Hash functions for GPU rendering": the PCG hash.
fn pcg(v: u32) -> u32 {
    let state = v * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// White noise in -1..1 at one sample of the clip: a function of seed and place, so every frame sees the same.
fn white(at: u32) -> f32 {
    return f32(pcg(at + pcg(augment.seed)) >> 8u) * 1.1920928955078125e-7 - 1.0;
}

// Sample `place` of the clip, or of its surroundings.
fn value(base: u32, place: i32) -> f32 {
    let n = i32(params.clip_samples);
    var at = place;
    if (params.reflect == 1u) {
        at = select(at, -at, at < 0);
        at = select(at, 2 * (n - 1) - at, at >= n);
    }
    let inside = at >= 0 && at < n;
    let index = base + u32(clamp(at, 0, n - 1));
    var x = pcm[index];
    if (AUGMENT) {
        if (augment.mix > 0.0) { x = x * (1.0 - augment.mix) + pcm[index + params.clip_samples] * augment.mix; }
        x *= augment.gain;
        if (augment.noise > 0.0) { x += augment.noise * white(u32(at)); }
    }
    return select(0.0, x, inside);
}

// One windowed sample of the frame that begins `start` samples into the clip.
fn sample(base: u32, start: i32, i: u32) -> f32 {
    if (AUGMENT) {
        if (augment.pitch != 1.0) {
            let away = (f32(i) - f32(N_FFT / 2u)) * augment.pitch;
            let whole = floor(away);
            let at = start + i32(N_FFT / 2u) + i32(whole);
            let between = away - whole;
            return (value(base, at) * (1.0 - between) + value(base, at + 1) * between) * window[i];
        }
    }
    return value(base, start + i32(i)) * window[i];
}

// Where a frame begins. At another tempo, frames that would lie behind the clip begin again at its start.
fn frame_start(frame: u32) -> i32 {
    var at = frame * params.hop;
    if (AUGMENT) {
        if (augment.tempo != 1.0) { at = u32(f32(at) * augment.tempo) % params.clip_samples; }
    }
    return i32(at) - params.lead;
}

// The power of a row behind the clip's filter.
fn filtered(power: f32, row: u32) -> f32 {
    if (!AUGMENT) { return power; }
    let x = 3.14159265358979 * (f32(row) + 0.5) / f32(params.rows);
    var db = 0.0;
    for (var k = 1u; k <= 6u; k++) {
        let a = augment.equaliser[k - 1u];
        if (a != 0.0) { db += a * cos(f32(k) * x); }
    }
    return power * exp2(db / DB_PER_LOG2);
}

// Two neighbouring real samples make one complex one.
fn pair(base: u32, start: i32, i: u32) -> vec2<f32> {
    return vec2<f32>(sample(base, start, 2u * i), sample(base, start, 2u * i + 1u));
}

fn load_pcm(base: u32, start: i32, b: u32) -> Eight {
    let s = POINTS / 8u;
    return Eight(
        pair(base, start, b), pair(base, start, b + s), pair(base, start, b + 2u * s), pair(base, start, b + 3u * s),
        pair(base, start, b + 4u * s), pair(base, start, b + 5u * s), pair(base, start, b + 6u * s), pair(base, start, b + 7u * s),
    );
}

// Butterfly `b` of the radix 8 stage whose finished blocks are `done` long, its inputs turned by their twiddles.
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

// The last stage writes where it read, so it needs no barrier inside.
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

// Powers of bins k and POINTS - k from the half-length transform.
fn unpack(k: u32) -> vec2<f32> {
    let z = work[place(k)];
    if (k == 0u) {
        let dc = z.x + z.y;
        let nyquist = z.x - z.y;
        return vec2<f32>(dc * dc, nyquist * nyquist) * params.edge_scale;
    }
    let m = work[place(POINTS - k)];
    let even = 0.5 * vec2<f32>(z.x + m.x, z.y - m.y);
    let odd = mul(0.5 * vec2<f32>(z.y + m.y, m.x - z.x), twiddle[k]);
    let up = even + odd;
    let down = even - odd;
    return vec2<f32>(dot(up, up), dot(down, down)) * params.inner_scale;
}

fn decibels(power: f32) -> f32 {
    let p = max(power, params.amin);
    if (p < SMALLEST_NORMAL) { return NO_VALUE; }
    return log2(p) * DB_PER_LOG2;
}

// A u32 that orders as the f32 does, and is never 0 for a number.
fn key(v: f32) -> u32 {
    let bits = bitcast<u32>(v);
    return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

@compute @workgroup_size(LANES)
fn stft(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let frame = group.x;
    let clip = group.y;
    let base = clip * params.clip_samples;

    if (AUGMENT) { augment = augments[clip]; }
    let start = frame_start(frame);

    // First stage, from PCM: no twiddles.
    store8(lane, 1u, dft8(load_pcm(base, start, lane)));
    if (ROUNDS == 2u) { store8(lane + LANES, 1u, dft8(load_pcm(base, start, lane + LANES))); }
    workgroupBarrier();

    var done = 8u;
    for (var stage = 1u; stage < RADIX8_STAGES; stage++) {
        let first = load8(lane, done);
        var second: Eight;
        if (ROUNDS == 2u) { second = load8(lane + LANES, done); }
        workgroupBarrier();
        store8(lane, done, dft8(first));
        if (ROUNDS == 2u) { store8(lane + LANES, done, dft8(second)); }
        workgroupBarrier();
        done *= 8u;
    }
    if (TAIL == 4u) {
        for (var b = lane; b < POINTS / 4u; b += LANES) { tail4(b); }
        workgroupBarrier();
    }
    if (TAIL == 2u) {
        for (var b = lane; b < POINTS / 2u; b += LANES) { tail2(b); }
        workgroupBarrier();
    }

    let out = (clip * params.frames + frame) * params.rows;
    var top = NO_VALUE;
    var bottom = -NO_VALUE;
    // Each pair of bins belongs to one invocation, so powers may take the transform's place.
    for (var k = lane; k <= POINTS / 2u; k += LANES) {
        let power = unpack(k);
        if (MEL) {
            if (k == 0u) {
                work[0] = power;
            } else {
                work[place(POINTS - k)].x = power.y;
                work[place(k)].x = power.x;
            }
        } else {
            let low = decibels(filtered(power.x, k));
            let high = decibels(filtered(power.y, POINTS - k));
            db[out + k] = low;
            db[out + POINTS - k] = high;
            top = max(top, max(low, high));
            if (low != NO_VALUE) { bottom = min(bottom, low); }
            if (high != NO_VALUE) { bottom = min(bottom, high); }
        }
    }
    if (MEL) {
        workgroupBarrier();
        for (var row = lane; row < params.rows; row += LANES) {
            let band = mel_rows[row];
            var sum = 0.0;
            for (var i = 0u; i < band.y; i++) {
                let bin = band.x + i;
                var power = work[place(bin & (POINTS - 1u))].x;
                if (bin == POINTS) { power = work[0].y; }
                sum += power * mel_weights[band.z + i];
            }
            let value = decibels(filtered(sum, row));
            db[out + row] = value;
            top = max(top, value);
            if (value != NO_VALUE) { bottom = min(bottom, value); }
        }
    }

    // The frame's own range, in the transform's memory: sixteen invocations look at all, then one at the sixteen.
    workgroupBarrier();
    work[lane] = vec2<f32>(top, bottom);
    workgroupBarrier();
    if (lane < 16u) {
        var best = work[lane];
        for (var i = lane + 16u; i < LANES; i += 16u) {
            best = vec2<f32>(max(best.x, work[i].x), min(best.y, work[i].y));
        }
        work[lane] = best;
    }
    workgroupBarrier();
    if (lane == 0u) {
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
