output "interpolation" { value = "a   ${~1~}   b" }
output "directive" { value = "x  %{~if true~}  y  %{~endif~}  z" }
output "heredoc" {
  value = <<EOT
start
%{for x in ["a", "b"]~}
item ${x}
%{endfor~}
  end ${~1}
EOT
}
output "line_only" {
  value = <<EOT
first

  ${~2~}

last
EOT
}
