// sum over k of left(row, k) * right(k, column), for {{ side }}x{{ side }} sums a workgroup and {{ side // 16 }}x{{ side // 16 }} an invocation: both
// factors go through workgroup memory {{ deep }} at a time. Workgroups along z take a part of the sum each.
const TAPS: u32 = {{ kh * kw }}u;
{% set each = side // 16 %}
var<workgroup> lefts: array<f32, {{ side * deep }}>;
var<workgroup> rights: array<f32, {{ side * deep }}>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let column0 = (group.y * shape.groups_across + group.x) / shape.groups_down * {{ side }}u;
    let row0 = (group.y * shape.groups_across + group.x) % shape.groups_down * {{ side }}u;
    let share = (depth() + shape.parts - 1u) / shape.parts;
    let end = min(depth(), (group.z + 1u) * share);
    var sums: array<f32, {{ each * each }}>;
    for (var k0 = group.z * share; k0 < end; k0 += {{ deep }}u) {
        for (var i = index; i < {{ side * deep }}u; i += 256u) {
            // Neighbors read what lies side by side: taps of a row on the left, pixels on the right.
            let row = row0 + i / {{ deep }}u;
            let k = k0 + i % {{ deep }}u;
            var value = 0.0;
            if (row < rows() && k < end) { value = left(row, k); }
            lefts[i % {{ deep }}u * {{ side }}u + i / {{ deep }}u] = value;
            let column = column0 + i % {{ side }}u;
            let deep = k0 + i / {{ side }}u;
            value = 0.0;
            if (column < columns() && deep < end) { value = right(deep, column); }
            rights[i] = value;
        }
        workgroupBarrier();
        for (var k = 0u; k < {{ deep }}u; k += 1u) {
            let l = k * {{ side }}u + local.y * {{ each }}u;
            let r = k * {{ side }}u + local.x;
{% for i in range(each) %}            let l{{ i }} = lefts[l + {{ i }}u];
            let r{{ i }} = rights[r + {{ i * 16 }}u];
{% endfor %}{% for i in range(each) %}{% for j in range(each) %}            sums[{{ i * each + j }}] = fma(l{{ i }}, r{{ j }}, sums[{{ i * each + j }}]);
{% endfor %}{% endfor %}        }
        workgroupBarrier();
    }
{% for i in range(each) %}{% for j in range(each) %}    {
        let row = row0 + local.y * {{ each }}u + {{ i }}u;
        let column = column0 + local.x + {{ j * 16 }}u;
        if (row < rows() && column < columns()) { store(row, column, group.z, sums[{{ i * each + j }}]); }
    }
{% endfor %}{% endfor %}}
