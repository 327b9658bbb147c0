{{- $list := slice }}
{{- range site.Pages }}
{{- if .Params.file }}
{{- $list = $list | append (dict "title" .Title "url" (strings.TrimPrefix "/" .RelPermalink) "text" (htmlUnescape .Plain)) }}
{{- end }}
{{- end }}
window.searchIndex = {{ $list | jsonify }};
