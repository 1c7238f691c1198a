{{/* Names, labels, and values as text. */}}

{{/* Labels of an object; of an adapter's when one is given: (dict "root" $ "adapter" $a). */}}
{{- define "trestle.labels" -}}
{{- $labels := dict "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $labels "app.kubernetes.io/part-of" "trestle" -}}
{{- $_ := set $labels "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- if .adapter -}}
{{- $_ := set $labels "app.kubernetes.io/name" .adapter.kind -}}
{{- $labels = merge $labels (include "trestle.selector" . | fromYaml) -}}
{{- else -}}
{{- $_ := set $labels "app.kubernetes.io/name" .root.Chart.Name -}}
{{- $_ := set $labels "app.kubernetes.io/instance" .root.Release.Name -}}
{{- end -}}
{{- toYaml (mergeOverwrite (deepCopy .root.Values.commonLabels) $labels) -}}
{{- end -}}

{{/* Labels by which an adapter's pods are found: (dict "root" $ "adapter" $a). */}}
{{- define "trestle.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .adapter.name }}
{{- end -}}

{{/* Labels of an adapter's pods: those that do not change with the chart. */}}
{{- define "trestle.podLabels" -}}
{{- $labels := dict "app.kubernetes.io/part-of" "trestle" "app.kubernetes.io/name" .adapter.kind -}}
{{- $labels = merge $labels (include "trestle.selector" . | fromYaml) -}}
{{- if hasKey ((include "trestle.account" . | fromYaml).annotations | default dict) "azure.workload.identity/client-id" -}}
{{- $_ := set $labels "azure.workload.identity/use" "true" -}}
{{- end -}}
{{- $given := mergeOverwrite (deepCopy .root.Values.commonLabels) (.adapter.labels | default dict) -}}
{{- toYaml (mergeOverwrite $given $labels) -}}
{{- end -}}

{{/* The service account of an adapter: name, create, annotations, and whether it is its own. */}}
{{- define "trestle.account" -}}
{{- $own := hasKey .adapter "serviceAccount" -}}
{{- $account := ternary .adapter.serviceAccount .root.Values.serviceAccount $own -}}
{{- $create := not (eq (toString $account.create) "false") -}}
{{- $made := ternary .adapter.fullname (printf "%s-adapters" .root.Release.Name) $own -}}
{{- $name := $account.name | default (ternary $made "default" $create) -}}
{{- toYaml (dict "name" $name "create" $create "own" $own "annotations" ($account.annotations | default dict)) -}}
{{- end -}}

{{/* A value as the text of a variable. What Kubernetes would replace in it is written so that it stays. */}}
{{- define "trestle.text" -}}
{{- $text := "" -}}
{{- if kindIs "string" . -}}{{- $text = . -}}
{{- else if or (kindIs "map" .) (kindIs "slice" .) -}}{{- $text = toRawJson . -}}
{{- else if kindIs "float64" . -}}{{- $text = ternary (int64 . | toString) (toString .) (eq . (floor .)) -}}
{{- else -}}{{- $text = toString . -}}
{{- end -}}
{{- if or (contains "$(" $text) (contains "$$" $text) -}}{{- $text = replace "$" "$$" $text -}}{{- end -}}
{{- $text -}}
{{- end -}}

{{/* What is wrong with an adapter, and which: (dict "adapter" $a "problem" "…"). */}}
{{- define "trestle.refuse" -}}
{{- fail (printf "adapter %s (%s): %s" .adapter.name .adapter.kind .problem) -}}
{{- end -}}
