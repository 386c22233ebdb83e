using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Trust;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Trust;

/// <summary>Trust of the API and of the domain.</summary>
internal static class TrustMapping
{
    private const string Suffix = "/trustRules";

    public static string NameOf(TenantId tenant) => ResourceNames.Of(tenant) + Suffix;

    public static bool TryParseName(string name, out TenantId tenant)
    {
        tenant = default;
        return name.EndsWith(Suffix, StringComparison.Ordinal) && ResourceNames.TryParseParent(name[..^Suffix.Length], out tenant);
    }

    public static V1.TrustRules ToApi(TenantId tenant, TrustRules rules) => new()
    {
        Name = NameOf(tenant),
        Revision = rules.Revision,
        SecureBootLost = (V1.TrustAction)rules.SecureBootLost,
        ImageUnknown = (V1.TrustAction)rules.ImageUnknown,
        ImageUnnamed = (V1.TrustAction)rules.ImageUnnamed,
        OsBelowFloor = (V1.TrustAction)rules.OsBelowFloor,
        CustomFirmwareCertificate = (V1.TrustAction)rules.CustomFirmwareCertificate,
        KeyUnderTwoSerials = (V1.TrustAction)rules.KeyUnderTwoSerials,
        AlternatingBoots = (V1.TrustAction)rules.AlternatingBoots,
        OlderConnectionAlive = (V1.TrustAction)rules.OlderConnectionAlive,
        AutoRelease = rules.AutoRelease,
    };

    public static TrustRules ToRules(V1.TrustRules rules) => new()
    {
        SecureBootLost = (TrustAction)rules.SecureBootLost,
        ImageUnknown = (TrustAction)rules.ImageUnknown,
        ImageUnnamed = (TrustAction)rules.ImageUnnamed,
        OsBelowFloor = (TrustAction)rules.OsBelowFloor,
        CustomFirmwareCertificate = (TrustAction)rules.CustomFirmwareCertificate,
        KeyUnderTwoSerials = (TrustAction)rules.KeyUnderTwoSerials,
        AlternatingBoots = (TrustAction)rules.AlternatingBoots,
        OlderConnectionAlive = (TrustAction)rules.OlderConnectionAlive,
        AutoRelease = rules.AutoRelease,
    };

    /// <summary>What a device's record has of it.</summary>
    public static void AddTo(V1.Device api, Device device)
    {
        foreach (var finding in device.Findings.IsDefault ? [] : device.Findings)
        {
            api.Findings.Add(new V1.TrustFinding
            {
                Kind = TrustFindingNames.Of(finding.Kind),
                Since = ApiValues.ToTimestamp(finding.Since),
                Accepted = finding.IsAccepted,
            });
        }

        if (device.Suspicion is { } suspicion)
        {
            api.Suspicion = new V1.CloneSuspicion
            {
                Kind = ApiValues.ToName(suspicion.Kind),
                State = (V1.SuspicionState)suspicion.State,
                Since = ApiValues.ToTimestamp(suspicion.Since),
                Detail = suspicion.Detail,
            };
        }

        if (device.Quarantine is { } order)
        {
            api.Quarantine = new V1.QuarantineOrder
            {
                By = order.By.ToString(),
                Cause = order.Cause,
                At = ApiValues.ToTimestamp(order.At),
            };
        }
    }

    /// <summary>What lists have of it.</summary>
    public static void AddTo(V1.Device api, DeviceRow row)
    {
        if (row.Findings.Length > 0)
        {
            api.Findings.AddRange(row.Findings.Split(' ').Select(kind => new V1.TrustFinding { Kind = kind }));
        }

        if (row.Suspicion != SuspicionState.Unspecified)
        {
            api.Suspicion = new V1.CloneSuspicion { State = (V1.SuspicionState)row.Suspicion };
        }
    }
}
