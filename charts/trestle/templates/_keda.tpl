{{/* The triggers of KEDA (https://keda.sh/docs/latest/scalers), each made of an adapter's settings. A define is called
like the scaler; it gives `metadata`, `parameters` (of the TriggerAuthentication, each with its setting), and the
`provider` of a pod identity, for when none of these is given. */}}

{{- define "trestle.keda.aws-sqs-queue" -}}
{{- $config := .config | default dict -}}
{{- $arn := splitList ":" (toString $config.ARN) -}}
{{- if ne (len $arn) 6 -}}{{- include "trestle.refuse" (dict "adapter" . "problem" "keda is enabled, which takes the queue from ARN in config") -}}{{- end -}}
{{- $host := printf "sqs.%s.amazonaws.com%s" (index $arn 3) (ternary ".cn" "" (eq (index $arn 1) "aws-cn")) -}}
{{- $endpoint := $config.AWS_ENDPOINT_URL_SQS | default $config.AWS_ENDPOINT_URL -}}
metadata:
  queueURL: {{ printf "%s/%s/%s" (trimSuffix "/" ($endpoint | default (printf "https://%s" $host))) (index $arn 4) (index $arn 5) | quote }}
  awsRegion: {{ $config.AWS_REGION | default (index $arn 3) | quote }}
  {{- with $endpoint }}
  awsEndpoint: {{ . | quote }}
  {{- end }}
  queueLength: {{ int .keda.threshold | quote }}
  # What is out is counted, too: it would come back if replicas went away.
  scaleOnInFlight: "true"
parameters:
  awsAccessKeyID: [AWS_ACCESS_KEY_ID, AWS_ACCESS_KEY]
  awsSecretAccessKey: [AWS_SECRET_ACCESS_KEY, AWS_SECRET_KEY]
  awsSessionToken: [AWS_SESSION_TOKEN]
provider: aws
{{- end -}}

{{- define "trestle.keda.kafka" -}}
{{- $config := .config | default dict -}}
{{- $sasl := eq (toString $config.SASL_ENABLE) "true" -}}
{{- $tls := eq (toString $config.TLS_ENABLE) "true" -}}
{{- $mechanisms := dict "PLAIN" "plaintext" "SCRAM-SHA-256" "scram_sha256" "SCRAM-SHA-512" "scram_sha512" -}}
metadata:
  bootstrapServers: {{ $config.BOOTSTRAP_SERVERS | quote }}
  consumerGroup: {{ $config.GROUP_ID | quote }}
  topic: {{ $config.TOPIC | quote }}
  lagThreshold: {{ int .keda.threshold | quote }}
  offsetResetPolicy: {{ $config.START_POSITION | default "latest" | quote }}
  sasl: {{ ternary (get $mechanisms ($config.SECURITY_MECHANISMS | default "PLAIN")) "none" $sasl | quote }}
  tls: {{ ternary "enable" "disable" $tls | quote }}
  unsafeSsl: {{ eq (toString $config.SKIP_VERIFY) "true" | quote }}
parameters:
  {{- if $sasl }}
  username: [USERNAME]
  password: [PASSWORD]
  {{- end }}
  {{- if $tls }}
  ca: [CA]
  cert: [CLIENT_CERT]
  key: [CLIENT_KEY]
  {{- end }}
provider: ""
{{- end -}}

{{- define "trestle.keda.gcp-pubsub" -}}
{{- $config := .config | default dict -}}
{{- $name := toString $config.GCLOUD_PUBSUB_SUBSCRIPTION -}}
{{- if not (or (hasPrefix "projects/" $name) (hasKey $config "GCLOUD_PUBSUB_PROJECT")) -}}
{{- include "trestle.refuse" (dict "adapter" . "problem" "keda is enabled, which takes a subscription by its whole name, or GCLOUD_PUBSUB_PROJECT with it") -}}
{{- end -}}
metadata:
  subscriptionName: {{ ternary $name (printf "projects/%s/subscriptions/%s" $config.GCLOUD_PUBSUB_PROJECT $name) (hasPrefix "projects/" $name) | quote }}
  mode: SubscriptionSize
  value: {{ int .keda.threshold | quote }}
parameters:
  GoogleApplicationCredentials: [GCLOUD_SERVICEACCOUNT_KEY]
provider: gcp
{{- end -}}

{{- define "trestle.keda.azure-eventhub" -}}
{{- $config := .config | default dict -}}
{{- $id := splitList "/" (toString ($config.EVENTHUB_RESOURCE_ID | default $config.EVENTHUB_NAMESPACE_ID)) -}}
{{- if lt (len $id) 9 -}}{{- include "trestle.refuse" (dict "adapter" . "problem" "keda is enabled, which takes the hub from EVENTHUB_RESOURCE_ID in config, or from EVENTHUB_NAMESPACE_ID and EVENTHUB_NAME") -}}{{- end -}}
{{- $hub := $config.EVENTHUB_NAME -}}
{{- if ge (len $id) 11 -}}{{- $hub = index $id 10 -}}{{- end -}}
{{- $blobs := urlParse (toString $config.CHECKPOINT_URL) -}}
metadata:
  eventHubNamespace: {{ index $id 8 | quote }}
  eventHubName: {{ $hub | quote }}
  consumerGroup: {{ $config.EVENTHUB_CONSUMER_GROUP | default "$Default" | quote }}
  checkpointStrategy: blobMetadata
  {{- if contains ".blob." (toString $blobs.host) }}
  storageAccountName: {{ $blobs.host | splitList "." | first | quote }}
  blobContainer: {{ trimAll "/" $blobs.path | quote }}
  {{- end }}
  unprocessedEventThreshold: {{ int .keda.threshold | quote }}
parameters:
  connection: [EVENTHUB_CONNECTION_STRING]
provider: azure-workload
{{- end -}}

{{/* An adapter's trigger, with what its values change: (dict "root" $ "adapter" $a). */}}
{{- define "trestle.trigger" -}}
{{- $adapter := .adapter -}}
{{- $keda := $adapter.keda -}}
{{- $trigger := include (printf "trestle.keda.%s" $adapter.fact.scaler) $adapter | fromYaml -}}
{{- $metadata := mergeOverwrite $trigger.metadata ($keda.metadata | default dict) -}}
{{- if eq $adapter.fact.scaler "azure-eventhub" -}}
{{- if not $metadata.blobContainer -}}{{- include "trestle.refuse" (dict "adapter" $adapter "problem" "keda is enabled, which looks for positions in blobs: set CHECKPOINT_URL in config, or keda.metadata.blobContainer and storageAccountName") -}}{{- end -}}
{{- end -}}
{{- $secrets := $keda.secretTargetRef | default list -}}
{{- $variables := list -}}
{{- range $parameter, $settings := $trigger.parameters -}}
{{- range $setting := $settings -}}
{{- $ref := get ($adapter.secretRefs | default dict) $setting | default (get ($adapter.secretFiles | default dict) $setting) -}}
{{- if $ref -}}{{- $secrets = append $secrets (dict "parameter" $parameter "name" $ref.name "key" $ref.key) -}}
{{- else if hasKey ($adapter.config | default dict) $setting -}}
{{- $variables = append $variables (dict "parameter" $parameter "name" $setting "containerName" "adapter") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $authentication := dict -}}
{{- with $secrets -}}{{- $_ := set $authentication "secretTargetRef" . -}}{{- end -}}
{{- with $variables -}}{{- $_ := set $authentication "env" . -}}{{- end -}}
{{- if $keda.podIdentity -}}{{- $_ := set $authentication "podIdentity" $keda.podIdentity -}}
{{- else if and (not $authentication) $trigger.provider -}}
{{- $identity := dict "provider" $trigger.provider -}}
{{- $annotations := (include "trestle.account" . | fromYaml).annotations | default dict -}}
{{- /* Who the pod is, KEDA is for it; else KEDA is itself. */ -}}
{{- if and (eq $trigger.provider "aws") (hasKey $annotations "eks.amazonaws.com/role-arn") -}}{{- $_ := set $identity "identityOwner" "workload" -}}{{- end -}}
{{- if eq $trigger.provider "azure-workload" -}}
{{- with get $annotations "azure.workload.identity/client-id" -}}{{- $_ := set $identity "identityId" . -}}{{- end -}}
{{- end -}}
{{- $_ := set $authentication "podIdentity" $identity -}}
{{- end -}}
{{- toYaml (dict "metadata" $metadata "authentication" $authentication) -}}
{{- end -}}
