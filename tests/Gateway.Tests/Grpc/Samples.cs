using Google.Rpc;
using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Operators;
using Muster.Domain.Policies;

namespace Muster.Gateway.Tests.Grpc;

internal static class Samples
{
    public static readonly DateTimeOffset At = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);

    public static OperatorAccount Account(TenantId tenant, ResourceId id, OperatorRole[] roles, string certificateSha256) => new()
    {
        Tenant = tenant,
        Id = id,
        Roles = [.. roles],
        Certificate = new SignedOperatorCertificate("PEM", certificateSha256, At.AddYears(1)),
        Enabled = true,
        CreatedAt = At,
        RequestId = "first",
        SigningRequestSha256 = "",
    };

    public static ListedRow Row(string name, string model = "P3265-V", DeviceState state = DeviceState.InService, long version = 1) => new(
        new RecordKey(GrainTypes.Device, $"default/{name}"),
        version,
        new DeviceRow
        {
            Tenant = TenantId.Default,
            Name = name,
            State = state,
            Model = model,
            Site = "",
            Track = "active",
            OsVersion = "12.1.0",
            ImageDigest = "",
            BootId = "",
            Compliance = ComplianceState.NonCompliant,
            Generation = 0,
            Rollout = "",
            StateChangedAt = At,
        },
        null);

    public static Device Device(string name) => new()
    {
        Tenant = TenantId.Default,
        Id = DeviceId.TryParse(name, out var id) ? id : throw new FormatException(name),
        State = DeviceState.Expected,
        StateChangedAt = At,
        Expected = new ExpectedDevice("P3265-V", "active", "Lund", "", EnrollmentApproval.Automatic),
        RequestId = "r1",
        CreatedAt = At,
    };

    /// <summary>Runs a call that has to be refused: code, reason and details.</summary>
    public static async Task<(StatusCode Code, string Reason, Google.Rpc.Status Status)> RefusedAsync(Func<Task> call)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(call);
        var status = refusal.GetRpcStatus();
        Assert.NotNull(status);
        var details = status.GetDetail<ErrorInfo>();
        Assert.NotNull(details);
        Assert.Equal("muster.v1", details.Domain);
        return (refusal.StatusCode, details.Reason, status);
    }

    /// <summary>Devices in the partitions they belong to; their names.</summary>
    public static async Task<string[]> FillAsync(OperatorsEdge edge, int devices)
    {
        var map = new PartitionMap(PartitionMap.CountMin);
        var names = Enumerable.Range(0, devices).Select(i => $"B8A44F{i * 7919 % 1000:000000}").ToArray();
        foreach (var name in names)
        {
            await edge.Fleet.InventoryOf(map.OfDevice($"default/{name}")).PutAsync(Row(name));
        }

        return names;
    }
}
