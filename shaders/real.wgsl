{% if half %}enable f16;
alias real = f16;{% else %}alias real = f32;{% endif %}
