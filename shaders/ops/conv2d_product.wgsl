// The matrix product: store(row, column) = sum over k of left(row, k) * right(k, column).
//
{% set each = tile_side // 16 -%}
// A workgroup computes {{ tile_side }}x{{ tile_side }} sums, an invocation {{ each }}x{{ each }}.
// Both factors go through workgroup memory, {{ tile_depth }} values of k at a time.
// Each workgroup along z computes one part of the sum.
const TAPS: u32 = {{ kh * kw }}u;
var<workgroup> lefts: array<f32, {{ tile_side * tile_depth }}>;
var<workgroup> rights: array<f32, {{ tile_side * tile_depth }}>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let column0 = group_index(group) / shape.groups_down * {{ tile_side }}u;
    let row0 = group_index(group) % shape.groups_down * {{ tile_side }}u;
    let share = (depth() + shape.parts - 1u) / shape.parts;
    let end = min(depth(), (group.z + 1u) * share);
    var sums: array<f32, {{ each * each }}>;
    for (var k0 = group.z * share; k0 < end; k0 += {{ tile_depth }}u) {
        for (var i = index; i < {{ tile_side * tile_depth }}u; i += 256u) {
            // Neighboring invocations read neighboring values: taps of a row on the left, pixels on
            // the right.
            let row = row0 + i / {{ tile_depth }}u;
            let k = k0 + i % {{ tile_depth }}u;
            var value = 0.0;
            if (row < rows() && k < end) { value = left(row, k); }
            lefts[i % {{ tile_depth }}u * {{ tile_side }}u + i / {{ tile_depth }}u] = value;
            let column = column0 + i % {{ tile_side }}u;
            let depth_k = k0 + i / {{ tile_side }}u;
            value = 0.0;
            if (column < columns() && depth_k < end) { value = right(depth_k, column); }
            rights[i] = value;
        }
        workgroupBarrier();
        for (var k = 0u; k < {{ tile_depth }}u; k += 1u) {
            let l = k * {{ tile_side }}u + local.y * {{ each }}u;
            let r = k * {{ tile_side }}u + local.x;
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
