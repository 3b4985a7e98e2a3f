output "numbers" { value = [1 < 2, 2 <= 2, 3 > 4, 4 >= 5, 1 == 1.0, 1 != 2] }
output "text_as_number" { value = "10" > 9 }
output "types_differ" { value = ["1" == 1, true == "true", null == ""] }
output "nulls" { value = [null == null, null != "a"] }
output "lists" { value = [[1, 2] == [1, 2], [1, 2] == [2, 1]] }
output "objects" { value = [{ a = 1 } == { a = 1 }, { a = 1 } == { a = 1, b = 2 }] }
output "sets" { value = toset(["b", "a"]) == toset(["a", "b"]) }
