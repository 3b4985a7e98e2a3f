output "tostring" { value = [tostring(1), tostring(true), tostring("x")] }
output "tonumber" { value = [tonumber("1.5"), tonumber(2)] }
output "tobool" { value = [tobool("true"), tobool(false)] }
output "tolist" { value = tolist(toset(["b", "a"])) }
output "tomap" { value = tomap({ a = 1, b = "x" }) }
output "null" { value = tostring(null) }
