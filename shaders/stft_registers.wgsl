// PCM to decibels, for adapters that are processors: sixteen invocations make one frame of 2048 samples.
//
// Such an adapter runs eight or so invocations in a vector register. What is dear there are barriers and loads from storage
// or workgroup memory, which it makes lane by lane (llvmpipe: some 8 ns a value, stores 3, and 0.5 from a uniform buffer,
// as long as arithmetic takes for several values). So the 1024 points are 32 x 32, 64 of them in an invocation's own
// registers, and cross workgroup memory once: first the columns 2c and 2c + 1, from PCM; then the rows k and 32 - k,
// which hold each other's mirrored bins, so that bins are told apart in registers. Tables are in uniform buffers, in
// the order of use. A real GPU has no room for so many registers; the plan never gives it this pass.
//
// `stft_common.wgsl` goes before this text. Twin: src/frontend/cpu/stft.rs. Variants: src/frontend/variants.rs.

const N_FFT: u32 = 2048u;
const POINTS: u32 = 1024u;
const SIDE: u32 = 32u;
const LANES: u32 = 16u;

@group(0) @binding(2) var<uniform> window: array<vec4<f32>, 512>;
@group(0) @binding(3) var<uniform> between: array<vec4<f32>, 512>; // [c][k]: exp(-2 pi i c k / POINTS) of both columns
@group(0) @binding(4) var<uniform> mel_ends: array<vec4<u32>, 129>;
@group(0) @binding(5) var<uniform> mel_weights: array<vec4<f32>, 513>; // two bins each
@group(0) @binding(9) var<uniform> bins: array<vec4<f32>, 256>; // [k][i]: exp(-2 pi i bin / N_FFT), in the order of unpack

var<workgroup> work: array<vec2<f32>, 1025>;
// Two complex numbers each, of two columns or rows.
var<private> all: array<vec4<f32>, 32>;

// Cosines of 2 pi i / 32.
const K1: f32 = 0.98078528040323043;
const K2: f32 = 0.92387953251128674;
const K3: f32 = 0.83146961230254524;
const K5: f32 = 0.55557023301960229;
const K6: f32 = 0.38268343236508984;
const K7: f32 = 0.19509032201612833;

fn down(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(x.y, -x.x, x.w, -x.z); } // times -i
fn turn(x: vec4<f32>, re: f32, minus_im: f32) -> vec4<f32> { return x * re + down(x) * minus_im; }
fn mul_each(x: vec4<f32>, w: vec4<f32>) -> vec4<f32> { return x * w.xxzz - down(x) * w.yyww; }

fn dft4(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) -> array<vec4<f32>, 4> {
    let ac = a + c;
    let bd = b + d;
    let a_c = a - c;
    let b_d = down(b - d);
    return array<vec4<f32>, 4>(ac + bd, a_c + b_d, ac - bd, a_c - b_d);
}

fn dft8(
    a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, e: vec4<f32>, f: vec4<f32>, g: vec4<f32>, h: vec4<f32>,
) -> array<vec4<f32>, 8> {
    let even = dft4(a + e, b + f, c + g, d + h);
    let odd = dft4(a - e, turn(b - f, SQRT_HALF, SQRT_HALF), down(c - g), turn(d - h, -SQRT_HALF, SQRT_HALF));
    return array<vec4<f32>, 8>(even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3]);
}

// The transform of `all`, in place: 4 x 8.
fn dft32() {
    let a0 = dft4(all[0], all[8], all[16], all[24]);
    let a1 = dft4(all[1], all[9], all[17], all[25]);
    let a2 = dft4(all[2], all[10], all[18], all[26]);
    let a3 = dft4(all[3], all[11], all[19], all[27]);
    let a4 = dft4(all[4], all[12], all[20], all[28]);
    let a5 = dft4(all[5], all[13], all[21], all[29]);
    let a6 = dft4(all[6], all[14], all[22], all[30]);
    let a7 = dft4(all[7], all[15], all[23], all[31]);
    let b0 = dft8(
        a0[0], a1[0], a2[0], a3[0],
        a4[0], a5[0], a6[0], a7[0],
    );
    let b1 = dft8(
        a0[1], turn(a1[1], K1, K7), turn(a2[1], K2, K6), turn(a3[1], K3, K5),
        turn(a4[1], SQRT_HALF, SQRT_HALF), turn(a5[1], K5, K3), turn(a6[1], K6, K2), turn(a7[1], K7, K1),
    );
    let b2 = dft8(
        a0[2], turn(a1[2], K2, K6), turn(a2[2], SQRT_HALF, SQRT_HALF), turn(a3[2], K6, K2),
        down(a4[2]), turn(a5[2], -K6, K2), turn(a6[2], -SQRT_HALF, SQRT_HALF), turn(a7[2], -K2, K6),
    );
    let b3 = dft8(
        a0[3], turn(a1[3], K3, K5), turn(a2[3], K6, K2), turn(a3[3], -K7, K1),
        turn(a4[3], -SQRT_HALF, SQRT_HALF), turn(a5[3], -K1, K7), turn(a6[3], -K2, -K6), turn(a7[3], -K5, -K3),
    );
    all[0] = b0[0];  all[1] = b1[0];  all[2] = b2[0];  all[3] = b3[0];
    all[4] = b0[1];  all[5] = b1[1];  all[6] = b2[1];  all[7] = b3[1];
    all[8] = b0[2];  all[9] = b1[2];  all[10] = b2[2];  all[11] = b3[2];
    all[12] = b0[3];  all[13] = b1[3];  all[14] = b2[3];  all[15] = b3[3];
    all[16] = b0[4];  all[17] = b1[4];  all[18] = b2[4];  all[19] = b3[4];
    all[20] = b0[5];  all[21] = b1[5];  all[22] = b2[5];  all[23] = b3[5];
    all[24] = b0[6];  all[25] = b1[6];  all[26] = b2[6];  all[27] = b3[6];
    all[28] = b0[7];  all[29] = b1[7];  all[30] = b2[7];  all[31] = b3[7];
}

// Bins `bin` and POINTS - bin: decibels, or powers for the bands to come.
fn put(out: u32, bin: u32, power: vec2<f32>) {
    if (MEL) {
        work[bin].x = power.x;
        work[POINTS - bin].x = power.y;
    } else {
        keep(out, bin, power.x);
        keep(out, POINTS - bin, power.y);
    }
}

// Bands `first` to `last`. Each bin between two mel points falls in one band and rises in the next.
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

    // Row k has bins k + 32 i. The rows 0 and 16 mirror themselves and go together.
    let other = select(SIDE - lane, SIDE / 2u, lane == 0u);
    for (var j = 0u; j < SIDE; j++) {
        all[j] = vec4<f32>(work[SIDE * lane + j], work[SIDE * other + j]);
    }
    dft32();
    // All rows have been read before powers take their place.
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
