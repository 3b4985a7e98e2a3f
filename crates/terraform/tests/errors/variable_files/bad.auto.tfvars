a = var.b
b = upper("x")
