using Google.Protobuf.Collections;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Settings that rollouts change.</summary>
internal static partial class RolloutsMapping
{
    /// <summary>As the domain judges them.</summary>
    public static DeviceSetting[] ToSettings(RepeatedField<V1.Setting> settings) =>
        [.. settings.Select(setting => new DeviceSetting(setting.Name, setting.Value))];

    private static SettingSet? ToSpec(RepeatedField<V1.Setting> settings) =>
        settings.Count == 0 ? null : SettingRules.Order(ToSettings(settings));

    private static string ImageName(TenantId tenant, string digest) =>
        digest.Length == 0 ? "" : ResourceNames.Of(tenant, "images", digest);
}
