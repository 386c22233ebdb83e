using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Storage;
using StackExchange.Redis;

namespace Muster.Redis.Tests;

/// <summary>A silo with all that it keeps in the store: membership, reminders and records.</summary>
public sealed class SiloTests(StoreServers servers)
{
    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Grain_AfterTheSiloStartedAgain_FindsItsRecord(StoreKind kind)
    {
        var key = $"default/{Guid.NewGuid():N}";
        using (var host = await StartAsync(kind))
        {
            var grain = host.Services.GetRequiredService<IGrainFactory>().GetGrain<INoteGrain>(key);
            Assert.Equal(1, await grain.AddAsync("one"));
            Assert.Equal(2, await grain.AddAsync("two"));
            await host.StopAsync(Cancel);
        }

        using (var host = await StartAsync(kind))
        {
            var grain = host.Services.GetRequiredService<IGrainFactory>().GetGrain<INoteGrain>(key);
            Assert.Equal(3, await grain.AddAsync("three"));
            await host.StopAsync(Cancel);
        }
    }

    [Fact]
    public async Task Silo_WithAnotherNumberOfPartitions_DoesNotStart()
    {
        await using (var session = servers.Open(StoreKind.Embedded))
        {
            await session.Feed.GetHeadAsync(0, Cancel);
        }

        using var host = Build(StoreKind.Embedded, partitions: 64);

        var refusal = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(Cancel));
        Assert.Contains("cannot be changed afterwards", refusal.ToString(), StringComparison.Ordinal);
    }

    private async Task<IHost> StartAsync(StoreKind kind)
    {
        var host = Build(kind, StoreSession.Partitions);
        await host.StartAsync(Cancel);
        return host;
    }

    private IHost Build(StoreKind kind, int partitions) =>
        NoteSilo.Build(servers.ConnectionString(kind), partitions, servers.Barrier(kind));
}

/// <summary>A host as the product wires it, with one kind of grain.</summary>
internal static class NoteSilo
{
    public static IHost Build(string connectionString, int partitions, IDurabilityBarrier? barrier = null)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        if (barrier is not null)
        {
            builder.Services.AddSingleton(barrier);
        }

        builder.UseOrleans(silo => silo
            .UseRedisClustering(options => options.ConfigurationOptions = ConfigurationOptions.Parse(connectionString))
            .UseRedisReminderService(options => options.ConfigurationOptions = ConfigurationOptions.Parse(connectionString))
            .ConfigureEndpoints(IPAddress.Loopback, FreePort(), FreePort(), listenOnAnyHostAddress: false)
            .AddMusterStorage(options =>
            {
                options.ConnectionString = connectionString;
                options.Partitions = partitions;
            }));
        return builder.Build();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

[GrainInterfaceType("muster.testing.note-grain"), Alias("muster.testing.INoteGrain")]
public interface INoteGrain : IGrainWithStringKey
{
    /// <summary>Commits one fact, registers a reminder, and answers how many facts there were.</summary>
    [Alias("Add")]
    Task<long> AddAsync(string text);
}

[GrainType("muster.testing.note")]
internal sealed class NoteGrain([PersistentState("state", StorageNames.Muster)] IPersistentState<NoteRecord> state)
    : Grain, INoteGrain, IRemindable
{
    public async Task<long> AddAsync(string text)
    {
        state.State = state.State.Next(text, facts: 1);
        await state.WriteStateAsync();
        await this.RegisterOrUpdateReminder("again", TimeSpan.FromHours(1), TimeSpan.FromHours(1));
        return state.State.FactsTotal;
    }

    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.CompletedTask;
}
