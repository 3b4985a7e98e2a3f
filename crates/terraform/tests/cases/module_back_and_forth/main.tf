module "a" {
  source = "./a"
  input  = "start"
  later  = module.b.result
}
module "b" {
  source = "./b"
  input  = module.a.early
}
output "late" { value = module.a.late }
