# hash
// slashes
/* block
   comment */
locals {
  a = 1 # after
  b = [ # inside
    1,  // one
    /* two */ 2,
  ]
}
output "a" { value = local.a /* inline */ + 1 }
output "b" { value = local.b }
