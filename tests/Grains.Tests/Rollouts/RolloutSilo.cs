using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;
using Muster.Grains.Rollouts;
using Muster.Grains.Tests.Lifecycle;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>One silo with the real grains of rollouts; devices, inventories and images are the test's.</summary>
public sealed class RolloutSilo : IAsyncLifetime
{
    /// <summary>Far above what any step takes; only a bug reaches it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly InProcessTestCluster _cluster;
    private InProcessTestCluster? _other;

    public RolloutSilo()
    {
        Clock = new SteppedClock(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
        Fleet = new RolloutFleet(Partitions, Clock);
        _cluster = Build(silo => silo.Services.AddSingleton<MemoryStore>());
    }

    internal PartitionMap Partitions { get; } = new(PartitionMap.CountMin);

    internal RolloutFleet Fleet { get; }

    internal RolloutOptions RolloutOptions { get; } = new();

    internal SteppedClock Clock { get; }

    internal MemoryStore Store => Fleet.Store;

    public IGrainFactory Grains => _cluster.Client;

    /// <summary>Partitions tell the coordinators of the other silo, too, which begin to work with the first news.</summary>
    public bool OtherHears { get; set; }

    public async ValueTask InitializeAsync()
    {
        await _cluster.DeployAsync();
        Fleet.Clock = Clock;
        Fleet.Store = _cluster.GetSiloServiceProvider().GetRequiredService<MemoryStore>();
        Fleet.Hear = (rollout, partition, isUrgent) =>
        {
            _ = _cluster.Client.GetRollout(TenantId.Default, rollout).HearAsync(partition, isUrgent);
            _ = OtherHears ? _other?.Client.GetRollout(TenantId.Default, rollout).HearAsync(partition, isUrgent) : null;
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        if (_other is not null)
        {
            await _other.DisposeAsync();
        }
    }

    /// <summary>
    /// A second silo of the same store and fleet whose activations are strangers to the first one's: of every grain there can be two then.
    /// </summary>
    public async Task<IGrainFactory> DeployOtherAsync()
    {
        if (_other is null)
        {
            _other = Build(silo => silo.Services.AddSingleton(Store));
            await _other.DeployAsync();
        }

        return _other.Client;
    }

    /// <summary>Forgets the activation, as a crash does; the due list calls as long as the rollout is live.</summary>
    public Task CrashAsync(RecordKey record) => _cluster.DeactivateAsync(GrainId.Create(record.Kind, record.Key));

    /// <summary>What the coordinator of this rollout tells its shares now.</summary>
    internal static AdvanceShare MessageOf(Rollout rollout, int partition) => new()
    {
        Freeze = rollout.Freeze,
        Epoch = rollout.Plan.Epoch,
        IsOffering = rollout.Plan.IsOffering,
        IsCancelling = rollout.Plan.State == RolloutState.Cancelling,
        Seed = rollout.Spec.Seed,
        Cuts = [.. rollout.Plan.Waves.Select(wave => wave.Cut)],
        Granted = [.. rollout.Plan.Shares.Single(share => share.Partition == partition).Waves.Select(grant => grant.Granted)],
        Seen = [.. rollout.Plan.Shares.Single(share => share.Partition == partition).Waves.Select(grant => grant.Seen)],
        OpenedAt = [.. rollout.Plan.Waves.Select(wave => wave.StartedAt)],
        Image = rollout.Image!,
        AllowTrackChange = false,
        InProgressTimeout = rollout.Spec.InProgressTimeout,
        UndeliveredTimeout = rollout.Spec.UndeliveredTimeout,
        IsWithdrawing = rollout.Plan.IsImageRevoked,
        Rank = rollout.Rank,
    };

    /// <summary>A draft for all devices of the site.</summary>
    public async Task<IRolloutGrain> CreateAsync(string site, Func<RolloutSpec, RolloutSpec>? change = null)
    {
        var rollout = Grains.GetRollout(TenantId.Default, IdOf(site));
        var spec = new RolloutSpec
        {
            ImageDigest = FleetFactory.Digest,
            TargetVersion = "",
            Filter = $"site = {site}",
            Waves =
            [
                new WaveSpec(Amount.Count(4), 100, 1, TimeSpan.Zero, ConnectedOnly: true),
                new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false),
            ],
        };
        var reply = await rollout.CreateAsync(new CreateRollout(Anna, "r1", change is null ? spec : change(spec), false));
        Assert.Null(reply.Error);
        return rollout;
    }

    public static Actor Anna { get; } = Actor.Operator("anna");

    public static OrderRollout Order { get; } = new(Anna, "");

    public static ResourceId IdOf(string site) => ResourceId.TryParse(site, out var id) ? id : throw new FormatException(site);

    public static RecordKey RecordOf(string site) => new(GrainTypes.Rollout, $"default/{site}");

    /// <summary>Calls as the due list does, lets the fleet work, and looks until the rollout is as expected.</summary>
    public Task<Rollout> UntilAsync(string site, Func<Rollout, bool> expected, Action? work = null) => UntilAsync(
        site,
        expected,
        () =>
        {
            work?.Invoke();
            return Task.CompletedTask;
        });

    /// <summary>The same with work that waits.</summary>
    public async Task<Rollout> UntilAsync(string site, Func<Rollout, bool> expected, Func<Task> work)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await work();
            Fleet.TellNews();
            if (Store.DueAtOf(RecordOf(site)) <= Clock.GetUtcNow())
            {
                await Grains.GetGrain<IDueGrain>(GrainId.Create(GrainTypes.Rollout, $"default/{site}")).OnDueAsync(cancellation);
            }

            var reply = await Grains.GetRollout(TenantId.Default, IdOf(site)).GetAsync();
            if (expected(reply.Rollout!))
            {
                return reply.Rollout!;
            }

            var waits = string.Join(' ', reply.Waves.SelectMany(wave => wave.WaitingOn));
            var totals = string.Join("; ", reply.Rollout!.Plan.Waves.Select(wave => wave.Totals));
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Patience, $"{reply.Rollout.Plan.State}, waiting on {waits}: {totals}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation);
        }
    }

    /// <summary>Waits until the coordinator has looked at every share at least once more and nothing moves.</summary>
    public async Task SettleAsync(string site)
    {
        await RestAsync(site);
        Fleet.TellOfEverything(site);
        await RestAsync(site);
    }

    /// <summary>Waits until nothing moves; shares that are quiet are left alone meanwhile.</summary>
    public async Task RestAsync(string site)
    {
        var facts = -1;
        var quiet = 0;
        await UntilAsync(site, _ =>
        {
            var now = Store.FactsOf(RecordOf(site)).Length;
            quiet = now == facts ? quiet + 1 : 0;
            facts = now;
            return quiet > 60; // 60 looks of 20 ms: at least one quiet tick of the coordinator
        });
    }

    private InProcessTestCluster Build(Action<ISiloBuilder> addStore)
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            addStore(silo);
            silo.Services.AddSingleton<TimeProvider>(Clock);
            silo.Services.AddSingleton(Partitions);
            silo.Services.AddSingleton(Options.Create(RolloutOptions));
            silo.Services.AddSingleton<IFeedReader>(services => services.GetRequiredService<MemoryStore>());
            silo.Services.AddSingleton<IFenceWriter>(services => services.GetRequiredService<MemoryStore>());
            silo.Services.AddSingleton<IDurableReaders>(services => services.GetRequiredService<MemoryStore>());
            silo.Services.AddKeyedSingleton<IGrainStorage>(
                StorageNames.Muster, (services, _) => services.GetRequiredService<MemoryStore>());
            var factory = silo.Services.Last(service => service.ServiceType == typeof(IGrainFactory));
            silo.Services.AddSingleton(services => FleetFactory.Create(Inner(factory, services), Fleet));
        });
        return builder.Build();
    }

    private static IGrainFactory Inner(ServiceDescriptor descriptor, IServiceProvider services) => descriptor switch
    {
        { ImplementationInstance: IGrainFactory instance } => instance,
        { ImplementationFactory: { } create } => (IGrainFactory)create(services),
        _ => (IGrainFactory)ActivatorUtilities.CreateInstance(services, descriptor.ImplementationType!),
    };
}

/// <summary>The silo's grain factory, except for devices, inventories and images.</summary>
public class FleetFactory : DispatchProxy
{
    private IGrainFactory _inner = null!;
    private RolloutFleet _fleet = null!;

    internal static string Digest { get; } = new('a', 64);

    /// <summary>For the one test that revokes it.</summary>
    internal static string RevocableDigest { get; } = new('c', 64);

    internal static IGrainFactory Create(IGrainFactory inner, RolloutFleet fleet)
    {
        var factory = Create<IGrainFactory, FleetFactory>();
        var proxy = (FleetFactory)(object)factory;
        proxy._inner = inner;
        proxy._fleet = fleet;
        return factory;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var asked = targetMethod is { IsGenericMethod: true } ? targetMethod.GetGenericArguments()[0] : null;
        if (asked == typeof(IDeviceGrain))
        {
            var key = (string)args![0]!;
            return NeighbourGrain.Create<IDeviceGrain>((method, call) => method switch
            {
                nameof(IDeviceGrain.OfferAsync) => _fleet.OfferOnceLetThroughAsync(key, (OfferChange)call[0]!),
                nameof(IDeviceGrain.AwaitTurnAsync) => _fleet.AwaitTurnAsync(key, (AwaitTurn)call[0]!),
                nameof(IDeviceGrain.PreviewOfferAsync) => Task.FromResult(_fleet.Preview(key, (OfferChange)call[0]!)),
                nameof(IDeviceGrain.WithdrawChangeAsync) => Answer(() => _fleet.TakeBack(key, (WithdrawChange)call[0]!)),
                nameof(IDeviceGrain.ExpireChangeAsync) => Answer(
                    () => _fleet.Cancel(key, (ExpireChange)call[0]!) ?? _fleet.Expire(key, (ExpireChange)call[0]!)),
                _ => throw new NotSupportedException(method),
            });
        }

        if (asked == typeof(IInventoryGrain))
        {
            var partition = (int)(long)args![0]!;
            return NeighbourGrain.Create<IInventoryGrain>((method, call) => method switch
            {
                nameof(IInventoryGrain.ListAsync) => Task.FromResult(_fleet.ListAsked(partition, (RowQuery)call[0]!)),
                nameof(IInventoryGrain.CountAsync) => Task.FromResult(_fleet.Count(partition, (RowQuery)call[0]!, (string)call[1]!)),
                nameof(IInventoryGrain.ListInServiceAsync) =>
                    Task.FromResult(_fleet.ListInService(partition, (string)call[1]!, (string)call[2]!)),
                nameof(IInventoryGrain.ListConnectedAsync) => Task.FromResult(_fleet.ListConnected(partition, (ReachMark)call[1]!)),
                nameof(IInventoryGrain.FindChangedAsync) =>
                    _fleet.FindChangedAsync(partition, (RowQuery)call[0]!, (FeedPosition)call[1]!),
                nameof(IInventoryGrain.FollowAsync) => _fleet.FollowAsync(partition, (FeedPosition)call[0]!),
                nameof(IInventoryGrain.ListenAsync) => Task.FromResult(_fleet.Listen(partition, (ListenForNews)call[0]!)),
                _ => throw new NotSupportedException(method),
            });
        }

        if (asked == typeof(IImageGrain))
        {
            var digest = ImageKey.Parse((string)args![0]!).Digest.Value;
            return NeighbourGrain.Create<IImageGrain>((method, _) => method switch
            {
                nameof(IImageGrain.GetAsync) => Task.FromResult(Find(digest)),
                nameof(IImageGrain.CheckUseAsync) => Task.FromResult(RefusalOf(digest)),
                _ => throw new NotSupportedException(method),
            });
        }

        return targetMethod!.Invoke(_inner, args);
    }

    private static Task<OfferReply> Answer(Func<OfferReply> answer)
    {
        try
        {
            return Task.FromResult(answer());
        }
        catch (StoreUnavailableException fault)
        {
            return Task.FromException<OfferReply>(fault);
        }
    }

    private FleetError? RefusalOf(string digest)
    {
        _fleet.ImageChecks.AddOrUpdate(digest, 1, (_, count) => count + 1);
        var found = Find(digest);
        return found.Image is { } image ? ImageLifecycle.CheckUse(image) : found.Error;
    }

    private ImageReply Find(string digest) =>
        digest == Digest || digest == RevocableDigest || _fleet.IsStep(digest) || _fleet.Revoked.ContainsKey(digest)
        ? new ImageReply(ImageOf(digest, _fleet.Revoked.ContainsKey(digest) ? ImageState.Revoked : ImageState.Published), null)
        : Unknown();

    private static ImageReply Unknown() => new(null, FleetError.Of(ErrorKind.NotFound, "IMAGE_NOT_FOUND", "No such image."));

    private Image ImageOf(string text, ImageState state) => new()
    {
        Tenant = TenantId.Default,
        Digest = ImageDigest.TryParse(text, out var digest) ? digest : throw new FormatException(),
        Manifest = new ImageManifest("12.1.0", ImageTrack.Active, ["P3265-V"], 1000)
        {
            Stated = _fleet.ConditionsOf.GetValueOrDefault(text, _fleet.Conditions) is var conditions && conditions == ImageConditions.None
                ? null
                : new ImageRelease { Conditions = conditions },
        },
        State = state,
        Signature = [1],
        Signer = null!,
        RequestId = "",
        CreatedAt = default,
    };
}
