using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using Muster.Grains.Images;
using Orleans.Serialization;
using Orleans.Storage;

namespace Muster.InventoryLoad;

/// <summary>
/// A rollout over a fleet that is connected and says nothing: how long the start takes and the offers, beside plain commits; and how long
/// an operator waits for a pause while they are made.
/// </summary>
internal sealed class RolloutCost(string store, int devices, bool isYoung, TextWriter output)
{
    private const int PausesMax = 300;
    private const int SizeCopies = 100;
    private const int WarmParts = 6;
    private const int WarmStarts = 4;
    private const int QuietStarted = 20;

    /// <summary>A silo that does nothing compiles a few methods a second now and then.</summary>
    private const int CompiledFew = 20;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan BetweenPauses = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PlainTime = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan OffersMax = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);
    private static readonly Actor Bench = Actor.Operator("bench");
    private static readonly ResourceId Id = Parse("bench");
    private static readonly ResourceId Warm = Parse("warm");

    /// <summary>Some four thousand devices, by their names.</summary>
    private const string FewDevices = "name = ACCC00000*";

    /// <summary>Start, first plan, and what both hold; no device is asked for.</summary>
    public Task FreezeAsync(CancellationToken cancellationToken) => RunAsync(async (host, rollout) =>
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var started = await StartAsync(rollout, Stopwatch.GetTimestamp());
        Tell("members", started.Members);
        Tell("held_bytes", GC.GetTotalMemory(forceFullCollection: true) - before);
        Tell("coordinator_bytes", SizeOf(host.Services.GetRequiredService<Serializer>(), (await rollout.GetAsync()).Rollout!));
    }, withSessions: false, cancellationToken);

    /// <summary>Rollouts over devices that have no session: nothing happens, and this is what the silo does all the same.</summary>
    public Task QuietAsync(CancellationToken cancellationToken) => RunAsync(async (host, _) =>
    {
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        var quiet = new QuietRollouts(host.Services.GetRequiredService<AskedShares>());
        var idle = await quiet.MeasureAsync(cancellationToken);
        Tell("idle_cores", idle.Cores);
        for (var number = 1; number <= QuietStarted; number++)
        {
            var rollout = grains.GetRollout(TenantId.Default, Parse($"quiet-{number}"));
            await AcceptAsync(rollout.CreateAsync(new CreateRollout(Bench, "", Spec(FewDevices), ValidateOnly: false)));
            await AcceptAsync(rollout.StartAsync(new OrderRollout(Bench, "")));
        }

        var (cores, questions) = await quiet.MeasureAsync(cancellationToken);
        Tell("rollouts", QuietStarted);
        Tell("quiet_cores", cores);
        Tell("quiet_questions_per_second", questions);
    }, withSessions: false, cancellationToken);

    public Task OffersAsync(CancellationToken cancellationToken) => RunAsync(async (host, rollout) =>
    {
        var gateway = host.Services.GetRequiredService<SilentGateway>();
        var begun = Stopwatch.GetTimestamp();
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var (compiled, compiling) = (JitInfo.GetCompiledMethodCount(), JitInfo.GetCompilationTime());
        var (allocated, paused) = (GC.GetTotalAllocatedBytes(), GC.GetTotalPauseDuration());
        var started = await StartAsync(rollout, begun);
        await OfferedAsync(gateway, started.Members, begun, cancellationToken);
        var cpuOffers = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        var seconds = Stopwatch.GetElapsedTime(begun, gateway.LastOfferAt).TotalSeconds;
        Tell("members", started.Members);
        Tell("first_offer_seconds", Stopwatch.GetElapsedTime(begun, gateway.FirstOfferAt).TotalSeconds);
        Tell("all_offers_seconds", seconds);
        Tell("offer_cpu_us", cpuOffers.TotalMicroseconds / started.Members);
        Tell("offer_allocated_bytes", (double)(GC.GetTotalAllocatedBytes() - allocated) / started.Members);
        Tell("offers_compiled", JitInfo.GetCompiledMethodCount() - compiled);
        Tell("offers_compiling_seconds", (JitInfo.GetCompilationTime() - compiling).TotalSeconds);
        Tell("offers_paused_seconds", (GC.GetTotalPauseDuration() - paused).TotalSeconds);

        // What would go on otherwise: pushes again, rounds of questions.
        await rollout.PauseAsync(new OrderRollout(Bench, ""));
        var edits = new DeviceEdits(host.Services.GetRequiredService<IGrainFactory>(), devices);
        cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var rate = await edits.RunAsync(PlainTime, cancellationToken);
        var cpuPlain = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        Tell("plain_commits_per_second", rate);
        Tell("plain_cpu_us", cpuPlain.TotalMicroseconds / (rate * PlainTime.TotalSeconds));
        Tell("offers_to_plain", seconds / (started.Members / rate));
    }, withSessions: true, cancellationToken);

    public Task PausesAsync(CancellationToken cancellationToken) => RunAsync(async (host, rollout) =>
    {
        var gateway = host.Services.GetRequiredService<SilentGateway>();
        var started = await StartAsync(rollout, Stopwatch.GetTimestamp());
        var waits = new List<double>();
        while (gateway.Offered < started.Members && waits.Count < PausesMax)
        {
            await Task.Delay(BetweenPauses, cancellationToken);
            var asked = Stopwatch.GetTimestamp();
            await AcceptAsync(rollout.PauseAsync(new OrderRollout(Bench, "")));
            waits.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            var offered = gateway.Offered;
            await AcceptAsync(rollout.ResumeAsync(new ResumeRollout(Bench, false, "")));
            Tell($"offered_{waits.Count}", offered);
        }

        waits.Sort();
        Tell("pauses", waits.Count);
        Tell("pause_p50_ms", waits[waits.Count / 2]);
        Tell("pause_p99_ms", waits[Math.Max(0, (int)Math.Ceiling(waits.Count * 0.99) - 1)]);
        Tell("pause_max_ms", waits[^1]);
    }, withSessions: true, cancellationToken);

    private async Task RunAsync(Func<IHost, IRolloutGrain, Task> measure, bool withSessions, CancellationToken cancellationToken)
    {
        using var host = SiloHost.Build(store, services => services
            .AddSingleton<IImageVault, NoVault>()
            .AddSingleton<AskedShares>()
            .AddSingleton<IIncomingGrainCallFilter>(provider => provider.GetRequiredService<AskedShares>())
            .AddSingleton(provider => new SilentGateway(
                provider.GetRequiredService<IGrainFactory>(), provider.GetRequiredService<PartitionMap>(), devices)));
        await host.StartAsync(cancellationToken);
        await PublishAsync(host);
        var listing = new Listing(TenantId.Default, GrainTypes.Device, "");
        await host.Services.GetRequiredService<RowLister>().CountAsync(listing, "", cancellationToken);
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        var gateway = host.Services.GetRequiredService<SilentGateway>();
        if (withSessions)
        {
            await gateway.AdmitAsync(cancellationToken);
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await gateway.ReportAsync();
        var kept = gateway.KeepAsync(over.Token);
        if (withSessions)
        {
            await WarmAsync(grains, gateway, cancellationToken);
        }

        var rollout = grains.GetRollout(TenantId.Default, Id);
        await AcceptAsync(rollout.CreateAsync(new CreateRollout(Bench, "", Spec($"NOT ({FewDevices})"), ValidateOnly: false)));
        await measure(host, rollout);
        await over.CancelAsync();
        await kept;

        // Activations by the hundred thousand take their time to end, and nothing depends on how they do.
        await output.FlushAsync(cancellationToken);
        Environment.Exit(0);
    }

    /// <summary>
    /// What a silo in service has compiled: what runs often is compiled up to three times, and each time begins when the one before is
    /// through. So a rollout makes a part of its offers, is paused until the compiler is quiet, and makes the next part; and more are
    /// started, whose devices are busy with it, and cancelled. A young silo made the offers of the first alone.
    /// </summary>
    private async Task WarmAsync(IGrainFactory grains, SilentGateway gateway, CancellationToken cancellationToken)
    {
        var (parts, starts) = isYoung ? (1, 0) : (WarmParts, WarmStarts);
        var rollout = grains.GetRollout(TenantId.Default, Warm);
        await AcceptAsync(rollout.CreateAsync(new CreateRollout(Bench, "", Spec(FewDevices), ValidateOnly: false)));
        var started = await AcceptAsync(rollout.StartAsync(new OrderRollout(Bench, "")));
        for (var part = 1; part <= parts; part++)
        {
            await OfferedAsync(gateway, (int)(started.Plan.Members * (long)part / parts), Stopwatch.GetTimestamp(), cancellationToken);
            await AcceptAsync(rollout.PauseAsync(new OrderRollout(Bench, "")));
            await CompiledAsync(cancellationToken);
            if (part < parts)
            {
                await AcceptAsync(rollout.ResumeAsync(new ResumeRollout(Bench, false, "")));
            }
        }

        for (var more = 1; more <= starts; more++)
        {
            var other = grains.GetRollout(TenantId.Default, Parse($"warm-{more}"));
            await AcceptAsync(other.CreateAsync(new CreateRollout(Bench, "", Spec(FewDevices), ValidateOnly: false)));
            await AcceptAsync(other.StartAsync(new OrderRollout(Bench, "")));
            await CompiledAsync(cancellationToken);
            await AcceptAsync(other.CancelAsync(new OrderRollout(Bench, "")));
        }

        gateway.Forget();
    }

    /// <summary>Until the runtime has compiled hardly anything for a while.</summary>
    private static async Task CompiledAsync(CancellationToken cancellationToken)
    {
        var before = 0L;
        for (var compiled = JitInfo.GetCompiledMethodCount(); compiled - before > CompiledFew; compiled = JitInfo.GetCompiledMethodCount())
        {
            before = compiled;
            await Task.Delay(Settling, cancellationToken);
        }
    }

    private static ResourceId Parse(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    /// <summary>From the call to the answer, and to the first permits that are committed.</summary>
    private async Task<RolloutPlan> StartAsync(IRolloutGrain rollout, long begun)
    {
        var plan = (await AcceptAsync(rollout.StartAsync(new OrderRollout(Bench, "")))).Plan;
        Tell("start_seconds", Stopwatch.GetElapsedTime(begun).TotalSeconds);
        while (plan.Shares.All(share => share.Waves.All(grant => grant.Granted == 0)))
        {
            await Task.Delay(Look);
            plan = (await AcceptAsync(rollout.GetAsync())).Plan;
        }

        Tell("first_plan_seconds", Stopwatch.GetElapsedTime(begun).TotalSeconds);
        return plan;
    }

    private static async Task OfferedAsync(SilentGateway gateway, int members, long begun, CancellationToken cancellationToken)
    {
        while (gateway.Offered < members)
        {
            if (Stopwatch.GetElapsedTime(begun) > OffersMax)
            {
                throw new InvalidOperationException($"Of {members} members {gateway.Offered} were offered the image within {OffersMax}.");
            }

            await Task.Delay(Look, cancellationToken);
        }
    }

    /// <summary>Of one in memory, by copies of it.</summary>
    private static long SizeOf(Serializer serializer, Rollout rollout)
    {
        var bytes = serializer.SerializeToArray(rollout);
        var copies = new Rollout[SizeCopies];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < copies.Length; i++)
        {
            copies[i] = serializer.Deserialize<Rollout>(bytes)!;
        }

        var size = (GC.GetTotalMemory(forceFullCollection: true) - before) / copies.Length;
        GC.KeepAlive(copies);
        return size;
    }

    private static async Task<Rollout> AcceptAsync(Task<RolloutReply> call) => await call switch
    {
        { Error: { } error } => throw new InvalidOperationException($"{error.Reason}: {error.Message}"),
        { Rollout: { } rollout } => rollout,
        _ => throw new InvalidOperationException("Neither a rollout nor an error."),
    };

    private static RolloutSpec Spec(string filter) => new()
    {
        Filter = filter,
        ImageDigest = Digest.Value,
        TargetVersion = "",
        Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
        AllowTrackChange = true,
    };

    private static ImageDigest Digest { get; } =
        ImageDigest.TryParse(new string('b', 64), out var digest) ? digest : throw new FormatException();

    /// <summary>As its grain would have committed it.</summary>
    private static async Task PublishAsync(IHost host)
    {
        var now = TimeProvider.System.GetUtcNow();
        var record = new ImageRecord
        {
            Image = new Image
            {
                Tenant = TenantId.Default,
                Digest = Digest,
                Manifest = new ImageManifest(
                    "13.0.1", ImageTrack.Active, [.. Enumerable.Range(1_400, 40).Select(number => $"P{number}-LE")], 1_000_000),
                State = ImageState.Published,
                Signature = [1],
                Signer = new ImageSigner("CN=bench", new string('c', 64)),
                RequestId = "",
                CreatedAt = now,
            },
        };
        var state = new GrainState<ImageRecord>
        {
            State = record.Attach(new CommitAttachments { Actor = Bench, At = now, Row = record.ToRow(withCold: true) }),
        };
        await host.Services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Muster)
            .WriteStateAsync("image", GrainId.Create(GrainTypes.Image, ImageKey.Of(TenantId.Default, Digest)), state);
    }

    private void Tell(string name, double value) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:0.####}"));

    /// <summary>Nothing is uploaded here.</summary>
    private sealed class NoVault : IImageVault
    {
        public Task<ImageVerdict> ExamineAsync(ImageDigest digest, ImageFormat format, ImmutableArray<byte> signature) =>
            throw new InvalidOperationException("No image is uploaded here.");

        public Task<bool> PublishAsync(ImageDigest digest) => throw new InvalidOperationException("No image is uploaded here.");
    }
}
