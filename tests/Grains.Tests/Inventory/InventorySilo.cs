using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Grains.Devices;
using Muster.Grains.Tests.Catalogues;
using Muster.Grains.Tests.Images;
using Muster.Storage;
using Muster.Testing.Stores;
using Orleans.TestingHost;

namespace Muster.Grains.Tests.Inventory;

/// <summary>A silo on a real Redis. Nobody nudges here: what is seen was read when it was asked for.</summary>
public abstract class InventorySilo : IAsyncLifetime
{
    private readonly string _appendFsync;
    private RedisServer? _redis;
    private InProcessTestCluster? _silo;

    /// <param name="appendFsync">As redis-server calls it; <c>always</c> where it is killed and must have everything.</param>
    private protected InventorySilo(string appendFsync = "no") => _appendFsync = appendFsync;

    private protected WatchedScanner Scanner => Silo.Silos[0].ServiceProvider.GetRequiredService<WatchedScanner>();

    private protected RedisServer Redis => _redis!;

    private protected ScriptedVault Vault { get; } = new();

    private protected InProcessTestCluster Silo => _silo!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync(_appendFsync, CancellationToken.None);
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddMusterStorage(options =>
            {
                options.ConnectionString = _redis.ConnectionString;
                options.Partitions = PartitionMap.CountMin;
            });
            WatchedScanner.Wrap(silo.Services);
            silo.Services.AddSingleton<IErasureProofVerifier, NeverAsked>();
            silo.Services.AddSingleton<IImageVault>(Vault);
            silo.Services.AddSingleton<IImageVerifier, OneVerifier>();
            silo.AddDevices();
            Configure(silo.Services);
        });
        _silo = builder.Build();
        await _silo.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>What a test adds to the silo.</summary>
    private protected virtual void Configure(IServiceCollection services)
    {
    }

    private protected static DeviceId Id(string text) => DeviceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private protected static RowQuery Query(string filter) => new(TenantId.Default, GrainTypes.Device, filter, "", 100);

    private protected static int PartitionOf(string device) =>
        new PartitionMap(PartitionMap.CountMin).OfDevice(DeviceKey.Of(TenantId.Default, Id(device)));

    private protected IInventoryGrain InventoryOf(string device) => Silo.Client.GetInventory(PartitionOf(device));

    private protected async Task<List<string>> NamesAsync(string device, string filter)
    {
        var page = await InventoryOf(device).ListAsync(Query(filter));
        Assert.Null(page.Error);
        return [.. page.Rows.Select(row => row.Row.Name)];
    }

    private protected async Task ExpectAsync(string device)
    {
        var spec = new ExpectedDevice("P3265-V", "12.11", "", "", EnrollmentApproval.Automatic);
        var reply = await Silo.Client.GetDevice(TenantId.Default, Id(device))
            .ExpectAsync(new ExpectDevice(Actor.Operator("anna"), "r1", spec));
        Assert.Null(reply.Error);
    }

    private protected async Task EditAsync(string device, int number)
    {
        var edit = new DeviceEdit(null, [new DeviceLabel("n", $"{number}")], []);
        var reply = await Silo.Client.GetDevice(TenantId.Default, Id(device)).EditAsync(new EditDevice(Actor.Operator("anna"), edit));
        Assert.Null(reply.Error);
    }

    private protected sealed class Told : IRowWatcher
    {
        private readonly ConcurrentQueue<RowChange> _changes = new();

        /// <summary>In the order in which they were told: calls may overtake each other on their way, and are numbered therefore.</summary>
        public IReadOnlyList<ListedRow> Rows => [.. _changes.OrderBy(change => change.Number).Select(change => change.Row)];

        public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task UntilAsync(int rows)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            timeout.CancelAfter(TimeSpan.FromSeconds(10));
            while (Rows.Count < rows)
            {
                await Task.Delay(10, timeout.Token);
            }
        }

        public Task RowChangedAsync(RowChange change)
        {
            _changes.Enqueue(change);
            First.TrySetResult();
            return Task.CompletedTask;
        }
    }
}
