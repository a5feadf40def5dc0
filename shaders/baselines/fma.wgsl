// The arithmetic roofline of `sonoprint bench --only conv`: fused multiply-adds in registers. Eight
// independent chains of four numbers, 256 iterations: 8 192 multiply-adds per invocation.

@group(0) @binding(0) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn multiply_add(@builtin(global_invocation_id) id: vec3<u32>) {
    let s = f32(id.x) * 1.0e-6;
    let m = vec4<f32>(0.999);
    let b = vec4<f32>(s);
    var a0 = vec4<f32>(s + 0.0);
    var a1 = vec4<f32>(s + 1.0);
    var a2 = vec4<f32>(s + 2.0);
    var a3 = vec4<f32>(s + 3.0);
    var a4 = vec4<f32>(s + 4.0);
    var a5 = vec4<f32>(s + 5.0);
    var a6 = vec4<f32>(s + 6.0);
    var a7 = vec4<f32>(s + 7.0);
    for (var i = 0u; i < 256u; i += 1u) {
        a0 = fma(a0, m, b);
        a1 = fma(a1, m, b);
        a2 = fma(a2, m, b);
        a3 = fma(a3, m, b);
        a4 = fma(a4, m, b);
        a5 = fma(a5, m, b);
        a6 = fma(a6, m, b);
        a7 = fma(a7, m, b);
    }
    let total = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7;
    out[id.x] = total.x + total.y + total.z + total.w;
}
