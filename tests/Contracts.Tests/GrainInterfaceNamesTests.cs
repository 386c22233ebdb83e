using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Metadata;

namespace Muster.Contracts.Tests;

public sealed class GrainInterfaceNamesTests
{
    [Fact]
    public void AddGrainInterfaceNames_BesideOrleansOwn_NamesEveryInterfaceAlikeAndIsAskedFirst()
    {
        var orleans = Orleans(new ServiceCollection());
        var ours = Orleans(new ServiceCollection()).AddGrainInterfaceNames();
        using var expected = orleans.BuildServiceProvider();
        using var services = ours.BuildServiceProvider();
        var resolver = services.GetRequiredService<GrainInterfaceTypeResolver>();
        var own = expected.GetRequiredService<GrainInterfaceTypeResolver>();

        Assert.IsType<GrainInterfaceNames>(services.GetServices<IGrainInterfaceTypeProvider>().First());
        Assert.All(
            WireTypes.Interfaces(WireTypes.Assemblies["Contracts"]).Append(typeof(IManagementGrain)).Append(typeof(IRemindable)),
            type => Assert.Equal(own.GetGrainInterfaceType(type), resolver.GetGrainInterfaceType(type)));
    }

    private static IServiceCollection Orleans(IServiceCollection services) => services.AddOrleansClient(_ => { });
}
