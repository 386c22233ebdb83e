using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Extensions.DependencyInjection;
using Muster.EmbeddedStore;
using Muster.Redis.Tests;
using Muster.Storage;

[assembly: AssemblyFixture(typeof(StoreServers))]

// They start Debian's redis-server and look at file modes.
[assembly: SupportedOSPlatform("linux")]

namespace Muster.Redis.Tests;

public enum StoreKind
{
    Redis,
    Embedded,
}

/// <summary>Both servers, started once; each test uses records of its own.</summary>
public sealed class StoreServers : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-embedded-");
    private RedisServer? _redis;
    private EmbeddedStoreServer? _embedded;

    public static TheoryData<StoreKind> Both => [StoreKind.Redis, StoreKind.Embedded];

    public async ValueTask InitializeAsync()
    {
        _embedded = EmbeddedStoreServer.Start(_folder.FullName);
        _redis = await RedisServer.StartAsync("everysec", CancellationToken.None);
    }

    public StoreSession Open(StoreKind kind, string? connectionString = null, Action<IServiceCollection>? configure = null) =>
        StoreSession.Open(connectionString ?? ConnectionString(kind), kind == StoreKind.Embedded ? _embedded : null, configure);

    public string ConnectionString(StoreKind kind) => kind == StoreKind.Redis ? _redis!.ConnectionString : _embedded!.ConnectionString;

    public IDurabilityBarrier? Barrier(StoreKind kind) => kind == StoreKind.Embedded ? new LogCommitBarrier(_embedded!) : null;

    public EndPoint EndPoint(StoreKind kind) => kind == StoreKind.Redis
        ? new IPEndPoint(IPAddress.Loopback, _redis!.Port)
        : new UnixDomainSocketEndPoint(_embedded!.SocketPath);

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        if (_embedded is not null)
        {
            await _embedded.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }
}
