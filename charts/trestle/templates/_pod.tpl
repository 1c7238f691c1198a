{{/* The pod of an adapter, which is the same in every mode: (dict "root" $ "all" $adapters "adapter" $a). It keeps to the
restricted Pod Security Standard. */}}
{{- define "trestle.pod" -}}
{{- $adapter := .adapter -}}
{{- $config := $adapter.config | default dict -}}
{{- $drain := int ($config.DRAIN_SECONDS | default 5) -}}
metadata:
  labels:
    {{- include "trestle.podLabels" . | nindent 4 }}
  {{- with $adapter.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ (include "trestle.account" . | fromYaml).name }}
  automountServiceAccountToken: false
  # Kubernetes would add a variable for each Service of the namespace, some of which have the names of settings.
  enableServiceLinks: false
  # Requests are taken for DRAIN_SECONDS more, then what is in flight has 20 seconds.
  terminationGracePeriodSeconds: {{ max 35 (add $drain 30) }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: adapter
      image: {{ include "trestle.image" . | quote }}
      imagePullPolicy: {{ ($adapter.image | default dict).pullPolicy | default .root.Values.image.pullPolicy }}
      env:
        {{- include "trestle.env" . | nindent 8 }}
      {{- with $adapter.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ int ($config.PORT | default 8080) }}
          protocol: TCP
        - name: metrics
          containerPort: {{ int ($config.METRICS_PROMETHEUS_PORT | default 9092) }}
          protocol: TCP
      startupProbe:
        {{- include "trestle.probe" (dict "adapter" $adapter "path" "/health") | nindent 8 }}
        # Started is who has tried to reach what it connects, with whatever result.
        periodSeconds: 1
        failureThreshold: 120
      livenessProbe:
        {{- include "trestle.probe" (dict "adapter" $adapter "path" "/healthz") | nindent 8 }}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        {{- include "trestle.probe" (dict "adapter" $adapter "path" "/readyz") | nindent 8 }}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      resources:
        {{- toYaml $adapter.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        runAsNonRoot: true
        capabilities:
          drop: [ALL]
      {{- with include "trestle.mounts" $adapter }}
      volumeMounts:
        {{- . | nindent 8 }}
      {{- end }}
  {{- with include "trestle.volumes" $adapter }}
  volumes:
    {{- . | nindent 4 }}
  {{- end }}
  {{- range $name := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" }}
  {{- with get $adapter $name }}
  {{ $name }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{- define "trestle.image" -}}
{{- $own := .adapter.image | default dict -}}
{{- $tag := $own.tag | default .root.Values.image.tag | default .root.Chart.AppVersion -}}
{{- $repository := $own.repository | default (printf "%s/%s" .root.Values.image.registry .adapter.kind) -}}
{{- printf "%s%s%s" $repository (ternary "@" ":" (hasPrefix "sha256:" $tag)) $tag -}}
{{- end -}}

{{- define "trestle.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ ternary "HTTPS" "HTTP" .adapter.https }}
{{- end -}}

{{/* The variables. */}}
{{- define "trestle.env" -}}
{{- $adapter := .adapter -}}
{{- $config := $adapter.config | default dict -}}
{{- $env := list -}}
{{- if not (hasKey $config "NAME") -}}{{- $env = append $env (dict "name" "NAME" "value" $adapter.name) -}}{{- end -}}
{{- if not (hasKey $config "NAMESPACE") -}}
{{- $env = append $env (dict "name" "NAMESPACE" "valueFrom" (dict "fieldRef" (dict "apiVersion" "v1" "fieldPath" "metadata.namespace"))) -}}
{{- end -}}
{{- with $adapter.fact.called -}}
{{- if ne (include "trestle.given" (dict "adapter" $adapter "name" .)) "true" -}}{{- $env = append $env (dict "name" . "value" $adapter.name) -}}{{- end -}}
{{- end -}}
{{- if and (hasKey $adapter "sink") (eq $adapter.mode "Deployment") -}}
{{- $address := include "trestle.address" (merge (dict "to" $adapter.sink "what" "sink") .) -}}
{{- $env = append $env (dict "name" "K_SINK" "value" (include "trestle.text" $address)) -}}
{{- with $adapter.ceOverrides -}}{{- $env = append $env (dict "name" "K_CE_OVERRIDES" "value" (include "trestle.text" .)) -}}{{- end -}}
{{- if not (kindIs "string" $adapter.sink) -}}
{{- if $adapter.sink.audience -}}{{- include "trestle.refuse" (dict "adapter" $adapter "problem" "sink.audience needs Knative: set mode to SinkBinding or ContainerSource") -}}{{- end -}}
{{- with $adapter.sink.CACerts -}}{{- $env = append $env (dict "name" "K_CA_CERTS" "value" (include "trestle.text" .)) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if hasKey $adapter "deadLetterSink" -}}
{{- $address := include "trestle.address" (merge (dict "to" $adapter.deadLetterSink "what" "deadLetterSink") .) -}}
{{- $env = append $env (dict "name" "DEAD_LETTER_SINK" "value" (include "trestle.text" $address)) -}}
{{- end -}}
{{- if $adapter.files_of_positions -}}{{- $env = append $env (dict "name" "CHECKPOINT_DIR" "value" "/var/lib/trestle") -}}{{- end -}}
{{- if hasKey $adapter "tls" -}}
{{- $env = append $env (dict "name" "TLS_CERT_FILE" "value" "/etc/trestle/tls/tls.crt") -}}
{{- $env = append $env (dict "name" "TLS_KEY_FILE" "value" "/etc/trestle/tls/tls.key") -}}
{{- end -}}
{{- range $name, $value := $config -}}
{{- $env = append $env (dict "name" $name "value" (include "trestle.text" $value)) -}}
{{- end -}}
{{- range $name, $ref := $adapter.secretRefs -}}
{{- $env = append $env (dict "name" $name "valueFrom" (dict "secretKeyRef" $ref)) -}}
{{- end -}}
{{- range $name, $_ref := $adapter.secretFiles -}}
{{- $env = append $env (dict "name" (printf "%s_FILE" $name) "value" (printf "/etc/trestle/secrets/%s" $name)) -}}
{{- end -}}
{{- toYaml (concat $env ($adapter.env | default list)) -}}
{{- end -}}

{{- define "trestle.mounts" -}}
{{- $mounts := .volumeMounts | default list -}}
{{- if .secretFiles -}}{{- $mounts = append $mounts (dict "name" "secrets" "mountPath" "/etc/trestle/secrets" "readOnly" true) -}}{{- end -}}
{{- if hasKey . "tls" -}}{{- $mounts = append $mounts (dict "name" "tls" "mountPath" "/etc/trestle/tls" "readOnly" true) -}}{{- end -}}
{{- with .files -}}{{- $mounts = append $mounts (dict "name" "files" "mountPath" .mountPath "readOnly" true) -}}{{- end -}}
{{- if .files_of_positions -}}{{- $mounts = append $mounts (dict "name" "positions" "mountPath" "/var/lib/trestle") -}}{{- end -}}
{{- with $mounts -}}{{- toYaml . -}}{{- end -}}
{{- end -}}

{{- define "trestle.volumes" -}}
{{- $volumes := .volumes | default list -}}
{{- if .secretFiles -}}
{{- $sources := list -}}
{{- range $name, $ref := .secretFiles -}}
{{- $item := dict "key" $ref.key "path" $name -}}
{{- $sources = append $sources (dict "secret" (dict "name" $ref.name "items" (list $item))) -}}
{{- end -}}
{{- $volumes = append $volumes (dict "name" "secrets" "projected" (dict "defaultMode" 288 "sources" $sources)) -}}
{{- end -}}
{{- if hasKey . "tls" -}}{{- $volumes = append $volumes (dict "name" "tls" "secret" (dict "secretName" .tls.secretName "defaultMode" 288)) -}}{{- end -}}
{{- if .files -}}{{- $volumes = append $volumes (dict "name" "files" "configMap" (dict "name" (printf "%s-files" .fullname))) -}}{{- end -}}
{{- if .files_of_positions -}}
{{- if eq .persistence.type "emptyDir" -}}{{- $volumes = append $volumes (dict "name" "positions" "emptyDir" (dict "sizeLimit" .persistence.size)) -}}
{{- else -}}
{{- $claim := .persistence.existingClaim | default (printf "%s-positions" .fullname) -}}
{{- $volumes = append $volumes (dict "name" "positions" "persistentVolumeClaim" (dict "claimName" $claim)) -}}
{{- end -}}
{{- end -}}
{{- with $volumes -}}{{- toYaml . -}}{{- end -}}
{{- end -}}
