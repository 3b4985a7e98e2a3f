
locals { list = ["a", "b"] }
output "multiline_if" {
  value = <<-EOT
    %{if length(local.list) > 1}
    many
    %{else}
    few
    %{endif}
    end
  EOT
}
output "tight" { value = "%{for x in local.list~}  ${x}  %{~endfor}" }
output "nested_quotes" { value = join(",", [for x in local.list : "<${x}>"]) }
output "nested_heredoc" {
  value = upper(<<-EOT
    in ${<<-INNER
      side
    INNER
  }
  EOT
)
}
output "both" {
  value = <<EOT
x ${~"a"~} y
  ${~"b"}
%{~if true~}
  z
%{~endif~}
EOT
}
output "tabs" {
  value = <<-EOT
	tab
	  deeper
	EOT
}
output "unicode_indent" {
  value = <<-EOT
    é
      日
  EOT
}
output "dollar_alone" { value = "$x %y $ % $${ %%{ {} }" }
