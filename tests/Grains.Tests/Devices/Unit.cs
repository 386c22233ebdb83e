using System.Collections.Immutable;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Grains.Tests.Devices;

/// <summary>One device of a test: its grain, its gateway, and what it says.</summary>
internal sealed class Unit
{
    public const string Model = "P3265-V";

    public static readonly string OldDigest = new('1', 64);

    public static readonly string NewDigest = new('2', 64);

    public static readonly Actor Anna = Actor.Operator("anna");

    private static int _serial = 0x100;

    private readonly DeviceSilo _silo;
    private readonly IGatewayObserver _reference;

    public Unit(DeviceSilo silo, string? key = null, TenantId? tenant = null, DeviceId? id = null, string profile = "axis")
    {
        _silo = silo;
        Tenant = tenant ?? TenantId.Default;
        Id = id ?? NewId();
        Identity = new DeviceIdentity(profile, Id, Hash(), key ?? Hash(), [1, 2, 3]);
        _reference = silo.Reference(Gateway);
    }

    public DeviceId Id { get; }

    public TenantId Tenant { get; }

    public DeviceIdentity Identity { get; }

    public TestGateway Gateway { get; } = new();

    public IDeviceGrain Grain => _silo.Grains.GetDevice(Tenant, Id);

    public IDeviceGrain OtherGrain => _silo.OtherGrains.GetDevice(Tenant, Id);

    public GrainId GrainId => Grain.GetGrainId();

    public long Epoch { get; set; }

    public static ResourceId Rollout(string name = "spring") =>
        ResourceId.TryParse(name, out var rollout) ? rollout : throw new FormatException();

    public static OfferChange Offer(string rollout = "spring", long epoch = 0) =>
        new(Rollout(rollout), epoch, new OsTarget(NewDigest, "12.1", 1000, [1]), "active", [Model], AllowTrackChange: false);

    public static DeviceCommand Command(char digit = 'c') => new(
        CommandKind.FactoryDefault,
        new string(digit, 32),
        new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero),
        new DateTimeOffset(2036, 6, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>Expected, connected, enrolled.</summary>
    public async Task<Unit> EnrolAsync()
    {
        await ExpectAsync();
        await ConnectAsync();
        Assert.Equal(UpReply.AcceptedOwingAck, await Grain.HelloAsync(Hello("boot-1", 1)));
        return this;
    }

    public Task<DeviceReply> ExpectAsync(EnrollmentApproval approval = EnrollmentApproval.Automatic) =>
        Grain.ExpectAsync(new ExpectDevice(Anna, "r1", new ExpectedDevice(Model, "active", "lab", "11.0", approval)));

    public Task<DeviceReply> ExpectAgainAsync() => Grain.ExpectAsync(
        new ExpectDevice(Anna, "again", new ExpectedDevice(Model, "active", "lab", "11.0", EnrollmentApproval.Automatic)));

    public async Task<AdmitReply> ConnectAsync()
    {
        var reply = await Grain.AdmitAsync(new AdmitSession(Identity, Receives: true, _reference, "gateway-1"));
        Epoch = reply.Epoch;
        return reply;
    }

    public SessionRef Session(long? epoch = null) => (epoch ?? Epoch) == 0
        ? new SessionRef("gateway-1", 0, null)
        : new SessionRef("gateway-1", epoch ?? Epoch, _reference);

    public UpEnvelope Envelope(string boot, long sequence) => new(Identity, Session(), new MessageStamp(boot, sequence));

    public ReportHello Hello(string boot, long sequence, string? digest = null, long generation = 0) => new(
        Envelope(boot, sequence), Id.Value, Model, new ReportedOs("12.0.1", digest ?? OldDigest, boot, true, true), generation);

    public ReportProgress Report(string boot, long sequence, long generation, ChangeStep step) =>
        new(Envelope(boot, sequence), generation, step, ChangeOutcome.Unspecified, "");

    public ReportInventory Inventory(string boot, long sequence, params ImmutableArray<DeviceSetting> settings) =>
        new(Envelope(boot, sequence), settings);

    public ReportResult Result(string boot, long sequence, byte proof, char digit = 'c') =>
        new(Envelope(boot, sequence), new string(digit, 32), true, "", [proof]);

    public async Task<Device> GetAsync() => (await Grain.GetAsync()).Device ?? throw new InvalidOperationException("No device.");

    public async Task<ImmutableArray<string>> FactsAsync() =>
        [.. (await _silo.EntriesOfAsync(GrainId)).Select(entry => entry.Fact.GetType().Name)];

    /// <summary>Owners of keys are told without anybody waiting for it.</summary>
    public async Task<Device> UntilSuspectedAsync()
    {
        await UntilAsync(async () => (await GetAsync()).Suspicion is not null);
        return await GetAsync();
    }

    /// <summary>The key of this device under the serial of another one, as a certificate that somebody else's CA signed for it.</summary>
    public DeviceIdentity KeyUnder(Unit other) =>
        new(Identity.Profile, other.Id, Hash(), Identity.KeySha256, Identity.PublicKey);

    /// <summary>Timers of devices look every five seconds at first; this is far more than that.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30), "It never happened.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        }
    }

    private static DeviceId NewId() =>
        DeviceId.TryParse($"B8A44F{Interlocked.Increment(ref _serial):X6}", out var id) ? id : throw new FormatException();

    private static string Hash() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
}
