output "encode" { value = jsonencode({ b = [1, 2.5, true, null], a = "<&>" }) }
output "decode" { value = jsondecode("{\"x\": [1, {\"y\": null}]}") }
output "round_trip" { value = jsondecode(jsonencode({ a = 1 })).a }
