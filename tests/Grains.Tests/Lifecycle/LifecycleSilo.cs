using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Operators;
using Muster.Grains.Images;
using Muster.Grains.Tests.Catalogues;
using Muster.Grains.Tests.Images;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Muster.Grains.Tests.Lifecycle;

/// <summary>One silo with the lifecycle's grains, a calendar that the test moves, and neighbours of a script.</summary>
public sealed class LifecycleSilo : IAsyncLifetime
{
    private readonly InProcessTestCluster _cluster;

    public LifecycleSilo()
    {
        Clock = new SteppedClock(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
        Partitions = new PartitionMap(PartitionMap.CountMin);
        Neighbours = new Neighbours(Partitions, Clock);
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.UseInMemoryReminderService();
            silo.Services.AddSingleton<TimeProvider>(Clock);
            silo.Services.AddSingleton(Partitions);
            silo.Services.AddSingleton<IOperatorCertificateAuthority>(Authority);
            silo.Services.AddSingleton<IImageVault>(Vault);
            silo.Services.AddSingleton<IFenceWriter>(Fences);
            silo.Services.AddSingleton<IImageVerifier, OneVerifier>();
            silo.Services.AddSingleton(Options.Create(ImageOptions));
            silo.Services.AddSingleton<MemoryCommits>();
            silo.Services.AddKeyedSingleton<IGrainStorage>(
                StorageNames.Muster, (services, _) => services.GetRequiredService<MemoryCommits>());
            var factory = silo.Services.Last(service => service.ServiceType == typeof(IGrainFactory));
            silo.Services.AddSingleton(services => NeighbourFactory.Create(Inner(factory, services), Neighbours));
        });
        _cluster = builder.Build();
    }

    public IGrainFactory Grains => _cluster.Client;

    internal SteppedClock Clock { get; }

    internal PartitionMap Partitions { get; }

    internal Neighbours Neighbours { get; }

    internal CountingAuthority Authority { get; } = new();

    internal ScriptedVault Vault { get; } = new();

    internal RaisedFences Fences { get; } = new();

    /// <summary>Read at every call.</summary>
    internal ImageOptions ImageOptions { get; } = new();

    internal MemoryCommits Store => _cluster.GetSiloServiceProvider().GetRequiredService<MemoryCommits>();

    public async ValueTask InitializeAsync() => await _cluster.DeployAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    /// <summary>Forgets the activation: the next call reads the store.</summary>
    public Task ForgetAsync(RecordKey record) => _cluster.DeactivateAsync(IdOf(record));

    /// <summary>Calls the record as its due list would, as long as its date has passed.</summary>
    public async Task<int> RunDueAsync(RecordKey record, int callsMax = 50)
    {
        var calls = 0;
        while (calls < callsMax && Store.DueAtOf(record) <= Clock.GetUtcNow())
        {
            calls++;
            await Grains.GetGrain<IDueGrain>(IdOf(record)).OnDueAsync(TestContext.Current.CancellationToken);
        }

        return calls;
    }

    private static GrainId IdOf(RecordKey record) => GrainId.Create(record.Kind, record.Key);

    private static IGrainFactory Inner(ServiceDescriptor descriptor, IServiceProvider services) => descriptor switch
    {
        { ImplementationInstance: IGrainFactory instance } => instance,
        { ImplementationFactory: { } create } => (IGrainFactory)create(services),
        _ => (IGrainFactory)ActivatorUtilities.CreateInstance(services, descriptor.ImplementationType!),
    };
}

/// <summary>Signs everything but the text <c>bad</c>, and counts.</summary>
internal sealed class CountingAuthority : IOperatorCertificateAuthority
{
    private int _signed;

    public int Signed => _signed;

    public (SignedOperatorCertificate? Certificate, FleetError? Error) Sign(
        string csrPem, TenantId tenant, ResourceId operatorId, DateTimeOffset now)
    {
        if (csrPem == "bad")
        {
            return (null, FleetError.Of(ErrorKind.Invalid, "SIGNING_REQUEST_INVALID", "Not a signing request."));
        }

        var number = Interlocked.Increment(ref _signed);
        return (new SignedOperatorCertificate($"pem-{number}", $"sha-{number}", now.AddYears(1)), null);
    }
}
