output "common" {
  value = <<-EOT
    {
      "a": ${1}
    }
  EOT
}
output "blank_lines" {
  value = <<-EOT
      first

    second
      third
  EOT
}
output "interpolation_first" {
  value = <<-EOT
    ${"x"}
      ${"y"} z
  EOT
}
output "directives" {
  value = <<-EOT
    users:
    %{for name in ["ann", "bob"]~}
      - ${name}
    %{endfor~}
    end
  EOT
}
output "directive_at_the_margin" {
  value = <<-EOT
%{if true}
    indented
%{endif}
  EOT
}
