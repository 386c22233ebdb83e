using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;

namespace Muster.Testing.Stores;

/// <summary>Several redis-servers that take over from each other: Sentinel or Cluster, as an operator would set them up.</summary>
public abstract class RedisGroup : IAsyncDisposable
{
    private const string Program = "/usr/bin/redis-cli";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Of servers and sentinels: the client library has one for both.</summary>
    protected const string Password = "secret-of-tests";

    /// <summary>What every server of data is started with.</summary>
    protected static string[] DataSettings { get; } =
    [
        "appendonly yes", "appendfsync everysec", "repl-diskless-sync-delay 0", "repl-ping-replica-period 1", $"requirepass {Password}",
        $"masterauth {Password}",
    ];

    /// <summary>In StackExchange.Redis' form.</summary>
    public abstract string ConnectionString { get; }

    protected List<RedisNode> Nodes { get; } = [];

    /// <summary>Kills the master of the key with -9.</summary>
    public async Task KillMasterOfAsync(string key) => await (await MasterOfAsync(key)).KillAsync();

    /// <summary>From now on the master of the key acknowledges what no replica will ever have: a network that broke in between.</summary>
    public async Task CutReplicasOfAsync(string key)
    {
        var master = await MasterOfAsync(key);
        await CommandAsync(master, "ACL", "SETUSER", "default", "-psync", "-sync", "-replconf");
        await CommandAsync(master, "CLIENT", "KILL", "TYPE", "replica");
    }

    /// <summary>Returns when the replicas of the key's master have all that it has.</summary>
    public async Task WaitForReplicasOfAsync(string key)
    {
        var master = await MasterOfAsync(key);
        await UntilAsync("the replicas have what the master has", async () =>
        {
            var said = (await CommandAsync(master, "INFO", "replication")).Split("\r\n");
            var offset = said.Single(line => line.StartsWith("master_repl_offset:", StringComparison.Ordinal)).Split(':')[1];
            var replicas = said.Where(line => line.Contains("state=online", StringComparison.Ordinal)).ToArray();
            return replicas.Length > 0 && replicas.All(line => line.Contains($"offset={offset},", StringComparison.Ordinal));
        });
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var node in Enumerable.Reverse(Nodes))
        {
            await node.DisposeAsync();
        }
    }

    protected abstract Task LaunchAsync();

    protected abstract Task<RedisNode> MasterOfAsync(string key);

    /// <summary>What redis-cli prints: the client library asks more of a sentinel than it answers.</summary>
    protected static async Task<string> CommandAsync(RedisNode node, params string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(node);
        return await CliAsync(["-p", node.Port.ToString(CultureInfo.InvariantCulture), .. arguments]);
    }

    protected static async Task<string> CliAsync(params string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--no-auth-warning", "-a", Password, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start.");
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return said;
    }

    /// <summary>Of a start that fails nothing is left running.</summary>
    protected static async Task<TGroup> StartAsync<TGroup>(TGroup group)
        where TGroup : RedisGroup
    {
        ArgumentNullException.ThrowIfNull(group);
        try
        {
            await group.LaunchAsync();
            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    protected static async Task UntilAsync(string what, Func<Task<bool>> isSo)
    {
        var started = Stopwatch.StartNew();
        while (!await isSo())
        {
            if (started.Elapsed > Patience)
            {
                throw new TimeoutException($"Waited in vain until {what}.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }
}

/// <summary>A master, two replicas and three sentinels.</summary>
public sealed class RedisSentinels : RedisGroup
{
    private const string Name = "muster";
    private const int Replicas = 2;
    private const int Sentinels = 3;
    private const string Quorum = "2";

    private readonly List<RedisNode> _sentinels = [];

    public override string ConnectionString =>
        $"{string.Join(',', _sentinels.Select(sentinel => sentinel.EndPoint))},serviceName={Name},password={Password}";

    public static Task<RedisSentinels> StartAsync() => StartAsync(new RedisSentinels());

    protected override async Task LaunchAsync()
    {
        var master = RedisNode.Start(isSentinel: false, DataSettings);
        Nodes.Add(master);
        var port = master.Port.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < Replicas; i++)
        {
            Nodes.Add(RedisNode.Start(isSentinel: false, [.. DataSettings, $"replicaof 127.0.0.1 {port}"]));
        }

        await UntilAsync(
            "the master has its replicas",
            async () => (await CommandAsync(master, "INFO", "replication")).Split("state=online").Length - 1 == Replicas);
        for (var i = 0; i < Sentinels; i++)
        {
            var sentinel = RedisNode.Start(
                isSentinel: true, $"sentinel monitor {Name} 127.0.0.1 {port} {Quorum}", $"sentinel down-after-milliseconds {Name} 1000",
                $"sentinel failover-timeout {Name} 5000", $"sentinel auth-pass {Name} {Password}");
            Nodes.Add(sentinel);
            _sentinels.Add(sentinel);
        }

        foreach (var sentinel in _sentinels)
        {
            await UntilAsync("the sentinels know each other and the replicas", async () =>
                (await CommandAsync(sentinel, "INFO", "sentinel")).Contains(
                    $"slaves={Replicas},sentinels={Sentinels}", StringComparison.Ordinal));
        }
    }

    protected override async Task<RedisNode> MasterOfAsync(string key)
    {
        var address = (await CommandAsync(_sentinels[0], "SENTINEL", "get-master-addr-by-name", Name)).Split('\n');
        return Nodes.Single(node => node.EndPoint == $"{address[0]}:{address[1]}");
    }
}

/// <summary>Three masters with a replica each.</summary>
public sealed class RedisCluster : RedisGroup
{
    private const int Servers = 6;

    public override string ConnectionString => $"{string.Join(',', Nodes.Select(node => node.EndPoint))},password={Password}";

    public static Task<RedisCluster> StartAsync() => StartAsync(new RedisCluster());

    protected override async Task LaunchAsync()
    {
        for (var i = 0; i < Servers; i++)
        {
            Nodes.Add(RedisNode.Start(
                isSentinel: false,
                [.. DataSettings, "cluster-enabled yes", "cluster-node-timeout 1000", "cluster-replica-validity-factor 0"]));
        }

        await UntilAsync("the servers answer", async () =>
            (await Task.WhenAll(Nodes.Select(node => CommandAsync(node, "PING"))))
            .All(said => said.StartsWith("PONG", StringComparison.Ordinal)));
        var made = await CliAsync(
            ["--cluster", "create", .. Nodes.Select(node => node.EndPoint), "--cluster-replicas", "1", "--cluster-yes"]);
        await UntilAsync($"every server calls the cluster complete: {made}", async () =>
        {
            var states = await Task.WhenAll(Nodes.Select(node => CommandAsync(node, "CLUSTER", "INFO")));
            var roles = await Task.WhenAll(Nodes.Select(node => CommandAsync(node, "INFO", "replication")));
            return states.All(state => state.Contains("cluster_state:ok", StringComparison.Ordinal))
                && roles.Count(role => role.Contains("master_link_status:up", StringComparison.Ordinal)) == Servers / 2;
        });
    }

    protected override async Task<RedisNode> MasterOfAsync(string key)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(ConnectionString);
        var endPoint = await connection.GetDatabase().IdentifyEndpointAsync(key, CommandFlags.DemandMaster);
        return Nodes.Single(node => node.EndPoint == $"{endPoint}");
    }
}
