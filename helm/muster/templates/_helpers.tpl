{{- define "muster.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "muster.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: muster
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "muster.labels" -}}
{{- $root := index . 0 -}}
{{ include "muster.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* The name that operators reach the installation by. */}}
{{- define "muster.operatorsName" -}}
{{- $own := gt (int .Values.gateway.operators.replicas) 0 -}}
{{- .Values.gateway.publicName | default (printf "%s-%s" (include "muster.name" .) (ternary "operators" "gateway" $own)) -}}
{{- end }}

{{- define "muster.pkiSecret" -}}
{{- $root := index . 0 -}}
{{- if eq (index . 1) "silo" -}}
{{- required "pki.siloSecret is required: name the secret that holds the operators' CA and the servers' CA certificate." $root.Values.pki.siloSecret -}}
{{- else -}}
{{- required "pki.gatewaySecret is required: name the secret that holds the gateways' certificate and the CA certificates." $root.Values.pki.gatewaySecret -}}
{{- end -}}
{{- end }}

{{- define "muster.pod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $program := ternary "silo" "gateway" (eq $component "silo") -}}
{{- $values := index $root.Values $program -}}
{{- $resources := ternary $root.Values.gateway.operators.resources $values.resources (eq $component "operators") -}}
{{- $devicesAlone := and (eq $component "gateway") (gt (int $root.Values.gateway.operators.replicas) 0) -}}
serviceAccountName: {{ include "muster.name" $root }}-{{ $program }}
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1654
  runAsGroup: 1654
  fsGroup: 1654
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: data
    persistentVolumeClaim:
      claimName: {{ $root.Values.data.existingClaim | default (printf "%s-data" (include "muster.name" $root)) }}
  - name: pki
    secret:
      secretName: {{ include "muster.pkiSecret" . }}
      # 0400 in octal.
      defaultMode: 256
  - name: device-roots
    configMap:
      name: {{ required "trust.deviceRoots is required: name the config map that holds the devices' roots, one or more *.pem." $root.Values.trust.deviceRoots }}
  {{- if eq $component "silo" }}
  - name: image-roots
    configMap:
      name: {{ required "trust.imageRoots is required: name the config map that holds the image signers' roots, one or more *.pem." $root.Values.trust.imageRoots }}
  {{- with $root.Values.trust.timestampRoots }}
  - name: timestamp-roots
    configMap:
      name: {{ . }}
  {{- end }}
  {{- with $root.Values.pki.pkcs11.moduleVolume }}
  - name: pkcs11-module
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.pki.pkcs11.pinSecret }}
  - name: pkcs11-pin
    secret:
      secretName: {{ . }}
      defaultMode: 256
  {{- end }}
  {{- end }}
containers:
  - name: {{ $program }}
    image: "{{ $root.Values.image.repository }}-{{ $program }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}"
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        drop: [ALL]
    resources:
      {{- toYaml $resources | nindent 6 }}
    env:
      - name: POD_NAME
        valueFrom:
          fieldRef:
            fieldPath: metadata.name
      - name: POD_IP
        valueFrom:
          fieldRef:
            fieldPath: status.podIP
      - name: MUSTER_STORE_ENDPOINTS
        valueFrom:
          secretKeyRef:
            name: {{ required "store.existingSecret is required: name the secret that holds the endpoints and the password of Redis." $root.Values.store.existingSecret }}
            key: {{ $root.Values.store.endpointsKey }}
      - name: MUSTER_STORE_PASSWORD
        valueFrom:
          secretKeyRef:
            name: {{ required "store.existingSecret is required: name the secret that holds the endpoints and the password of Redis." $root.Values.store.existingSecret }}
            key: {{ $root.Values.store.passwordKey }}
      - name: Muster__Store__ConnectionString
        value: "$(MUSTER_STORE_ENDPOINTS),password=$(MUSTER_STORE_PASSWORD)"
      - name: Muster__Store__Partitions
        value: {{ $root.Values.store.partitions | quote }}
      - name: Muster__Cluster__ClusterId
        value: {{ $root.Values.cluster.clusterId | quote }}
      - name: Muster__Cluster__ServiceId
        value: {{ $root.Values.cluster.serviceId | quote }}
      - name: Muster__Pki__Directory
        value: {{ $root.Values.pki.directory | quote }}
      - name: Muster__Data__Directory
        value: {{ $root.Values.data.directory | quote }}
      - name: Muster__Health__Address
        value: "*"
      - name: Muster__Health__Port
        value: {{ $root.Values.health.port | quote }}
      - name: Muster__Grpc__Port
        value: {{ $root.Values.gateway.grpcPort | quote }}
    {{- with $root.Values.artifacts.s3 }}
      {{- if .bucket }}
      - name: Muster__Artifacts__S3__Bucket
        value: {{ .bucket | quote }}
      - name: Muster__Artifacts__S3__Endpoint
        value: {{ required "artifacts.s3.endpoint is required with a bucket: name the server's address, with https." .endpoint | quote }}
      - name: Muster__Artifacts__S3__Region
        value: {{ .region | quote }}
      - name: Muster__Artifacts__S3__Prefix
        value: {{ .prefix | quote }}
      - name: Muster__Artifacts__S3__UsesPathStyle
        value: {{ .usesPathStyle | quote }}
      - name: Muster__Artifacts__S3__AccessKey
        valueFrom:
          secretKeyRef:
            name: {{ required "artifacts.s3.existingSecret is required with a bucket: name the secret that holds its keys." .existingSecret }}
            key: access-key
      - name: Muster__Artifacts__S3__SecretKey
        valueFrom:
          secretKeyRef:
            name: {{ .existingSecret }}
            key: secret-key
      {{- end }}
    {{- end }}
    {{- if eq $component "silo" }}
      {{- with $root.Values.approvals }}
      - name: Muster__Images__ApprovalsToPublish
        value: {{ .toPublish | quote }}
      - name: Muster__Rollouts__ApprovalsToStart
        value: {{ .toStart | quote }}
      - name: Muster__Rollouts__ApprovalsToDowngrade
        value: {{ .toDowngrade | quote }}
      {{- end }}
      - name: Muster__Edge__Enabled
        value: "false"
      - name: Muster__Cluster__AdvertisedAddress
        value: "$(POD_IP)"
      - name: Muster__Cluster__SiloPort
        value: {{ $root.Values.cluster.siloPort | quote }}
      - name: Muster__Cluster__GatewayPort
        value: {{ $root.Values.cluster.gatewayPort | quote }}
      # A secret is mounted as root's, mode 0440, and the pod reads it by its own group.
      - name: Muster__Pki__AllowGroupRead
        value: "true"
      {{- with $root.Values.pki.pkcs11.uri }}
      - name: Muster__Pki__Pkcs11
        value: {{ . | quote }}
      {{- end }}
      {{- range $name, $value := $root.Values.pki.pkcs11.environment }}
      - name: {{ $name }}
        value: {{ $value | quote }}
      {{- end }}
      - name: Muster__Pki__ServerNames__0
        value: {{ include "muster.operatorsName" $root | quote }}
    {{- else if eq $component "operators" }}
      - name: Muster__Edge__Doors
        value: "operators"
      - name: Muster__Grpc__Address
        value: "*"
    {{- else }}
      - name: Muster__Edge__Doors
        value: {{ ternary "devices" "all" $devicesAlone | quote }}
      - name: Muster__Mqtt__Address
        value: "*"
      - name: Muster__Mqtt__Port
        value: {{ $root.Values.gateway.mqttPort | quote }}
      - name: Muster__DeviceHttps__Address
        value: "*"
      - name: Muster__DeviceHttps__Port
        value: {{ $root.Values.gateway.deviceHttpsPort | quote }}
      {{- if not $devicesAlone }}
      - name: Muster__Grpc__Address
        value: "*"
      {{- end }}
      {{- with $root.Values.gateway.downloads }}
      - name: Muster__Downloads__LinkLifetime
        value: {{ .linkLifetime | quote }}
      - name: Muster__Downloads__Spread
        value: {{ .spread | quote }}
      - name: Muster__Downloads__TransfersMax
        value: {{ .transfersMax | int64 | quote }}
      - name: Muster__Downloads__BytesPerSecond
        value: {{ .bytesPerSecond | int64 | quote }}
      - name: Muster__Downloads__SiteTransfersMax
        value: {{ .siteTransfersMax | int64 | quote }}
      - name: Muster__Downloads__SiteBytesPerSecond
        value: {{ .siteBytesPerSecond | int64 | quote }}
      {{- range $place, $site := .sites }}
      - name: Muster__Downloads__Sites__{{ $place }}__Site
        value: {{ $site.site | quote }}
      - name: Muster__Downloads__Sites__{{ $place }}__Tenant
        value: {{ $site.tenant | default "default" | quote }}
      - name: Muster__Downloads__Sites__{{ $place }}__TransfersMax
        value: {{ $site.transfersMax | default 0 | int64 | quote }}
      - name: Muster__Downloads__Sites__{{ $place }}__BytesPerSecond
        value: {{ $site.bytesPerSecond | default 0 | int64 | quote }}
      {{- end }}
      {{- end }}
    {{- end }}
    volumeMounts:
    {{- if eq $component "silo" }}
      - name: data
        mountPath: {{ $root.Values.data.directory }}
      - name: image-roots
        mountPath: {{ $root.Values.data.directory }}/trust/images
        readOnly: true
      {{- if $root.Values.trust.timestampRoots }}
      - name: timestamp-roots
        mountPath: {{ $root.Values.data.directory }}/trust/timestamps
        readOnly: true
      {{- end }}
      {{- if $root.Values.pki.pkcs11.moduleVolume }}
      - name: pkcs11-module
        mountPath: {{ $root.Values.pki.pkcs11.moduleDirectory }}
        readOnly: true
      {{- end }}
      {{- if $root.Values.pki.pkcs11.pinSecret }}
      - name: pkcs11-pin
        mountPath: /etc/muster/pin
        readOnly: true
      {{- end }}
    {{- else }}
      # The images only: the administrator's key is in the same volume.
      - name: data
        mountPath: {{ $root.Values.data.directory }}/artifacts
        subPath: artifacts
    {{- end }}
      - name: device-roots
        mountPath: {{ $root.Values.data.directory }}/trust/devices
        readOnly: true
      - name: pki
        mountPath: {{ $root.Values.pki.directory }}
        readOnly: true
    startupProbe:
      httpGet:
        path: /health/ready
        port: health
      periodSeconds: 5
      timeoutSeconds: 3
      failureThreshold: 60
    readinessProbe:
      httpGet:
        path: /health/ready
        port: health
      periodSeconds: 5
      timeoutSeconds: 3
      failureThreshold: 2
    livenessProbe:
      httpGet:
        path: /health/live
        port: health
      periodSeconds: 5
      timeoutSeconds: 3
      failureThreshold: 6
{{- end }}
