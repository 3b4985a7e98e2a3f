output "number_and_text" { value = [true ? 1 : "a", false ? 1 : "a"] }
output "bool_and_text" { value = true ? true : "x" }
output "null_branch" { value = [true ? null : "a", false ? null : 1] }
output "lists" { value = [true ? [1, 2] : ["a"], false ? [] : ["x"]] }
output "tuples" { value = true ? [1, "a"] : ["b", 2] }
output "objects" { value = true ? { a = 1 } : { a = "x" } }
output "maps" { value = true ? { a = 1 } : { b = "x" } }
output "chained" { value = false ? "a" : false ? "b" : "c" }
output "condition_from_text" { value = "true" ? "yes" : "no" }
output "lazy" { value = true ? "fine" : [][0] }
