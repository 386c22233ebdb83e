using Google.Rpc;
using Grpc.Core;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>Rollouts of settings by the API.</summary>
public sealed class RolloutSettingsServiceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateRollout_OfSettings_HandsThemOnInTheirOrderAndShowsThem()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) =>
        {
            created = (CreateRollout)args[0]!;
            return new RolloutReply(RolloutOf(key, created), [], 0, null);
        });

        var shown = await Client(edge).CreateRolloutAsync(Creation(("root.B", "2"), ("root.A", "1")), cancellationToken: Stop);

        SettingSet wanted = [new DeviceSetting("root.A", "1"), new DeviceSetting("root.B", "2")];
        Assert.Equal((ChangeKind.Settings, "", wanted), (created!.Spec.Kind, created.Spec.ImageDigest, created.Spec.Settings));
        Assert.Equal(["root.A=1", "root.B=2"], shown.Settings.Select(setting => $"{setting.Name}={setting.Value}"));
        Assert.Equal(("", "", 2), (shown.Image, shown.TargetVersion, shown.SettingCount));
    }

    [Theory]
    [InlineData(true, new[] { "a", "1" })]
    [InlineData(false, new string[0])]
    public async Task CreateRollout_OfBothOrNeither_IsRefusedAndNamesBoth(bool hasImage, string[] settings)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Creation([.. settings.Chunk(2).Select(pair => (pair[0], pair[1]))]);
        request.Rollout.Image = hasImage ? "tenants/default/images/" + new string('a', 64) : "";

        var (code, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
        Assert.Equal(
            ["rollout.image", "rollout.settings"], status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    [Fact]
    public async Task CreateRollout_OfBadSettings_TellsAllOfThem()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var far = new string('v', 100_000);

        var (_, reason, status) = await Samples.RefusedAsync(async () => await Client(edge).CreateRolloutAsync(
            Creation(("", "1"), ("twice", "1"), ("twice", "2"), ("far", far)), cancellationToken: Stop));
        var (_, _, many) = await Samples.RefusedAsync(async () => await Client(edge).CreateRolloutAsync(
            Creation([.. Enumerable.Range(0, 1_000).Select(i => ($"name-{i}", ""))]), cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal(
            ["rollout.settings[0].name", "rollout.settings[2].name", "rollout.settings[3].value", "rollout.settings"],
            status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
        Assert.Equal("rollout.settings", Assert.Single(many.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Fact]
    public async Task SimulateRollout_OfSettings_GoesAsOfAnImage()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var rollout = Creation(("root.A", "1")).Rollout;

        var answer = await Client(edge).SimulateRolloutAsync(
            new V1.SimulateRolloutRequest
            {
                Parent = "tenants/default",
                Rollout = rollout,
                Fleet = new V1.SimulatedFleet { Members = 10 },
                Runs = 3,
            },
            cancellationToken: Stop);

        Assert.Equal(10, answer.Waves.Sum());
    }

    private static V1.Rollouts.RolloutsClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));

    private static V1.CreateRolloutRequest Creation(params (string Name, string Value)[] settings)
    {
        var request = new V1.CreateRolloutRequest
        {
            Parent = "tenants/default",
            RolloutId = "hardening",
            RequestId = "r1",
            Rollout = new V1.Rollout { Waves = { new V1.WaveSpec { Percent = 100 } } },
        };
        request.Rollout.Settings.AddRange(settings.Select(setting => new V1.Setting { Name = setting.Name, Value = setting.Value }));
        return request;
    }

    private static Rollout RolloutOf(string key, CreateRollout command)
    {
        var (tenant, id) = RolloutKey.Parse(key);
        return new Rollout
        {
            Tenant = tenant,
            Id = id,
            Spec = command.Spec,
            Plan = RolloutPlan.Draft,
            CreatedBy = command.Actor,
            CreatedAt = Samples.At,
            RequestId = command.RequestId,
        };
    }
}
