output "escapes" { value = "tab\there \"quoted\" back\\slash\nnewline" }
output "unicode" { value = "\u00e9 \U0001F600 é 日本" }
output "markers" { value = "$${not} %%{this} $$$${x} 100% $5" }
output "empty" { value = "" }
