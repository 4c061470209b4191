import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

/** One node of OpenSearch with HTTP and k-NN on a port of loopback: SingleNode FOLDER PORT. Ends when its input does. */
public class SingleNode extends Node {
  SingleNode(Environment environment, Collection<Class<? extends Plugin>> plugins) {
    super(environment, plugins, false);
  }

  public static void main(String[] arguments) throws Exception {
    Path home = Paths.get(arguments[0]);
    Files.createDirectories(home.resolve("config"));
    Settings settings =
        Settings.builder()
            .put("path.home", home)
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", arguments[1])
            .put("transport.port", "0")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "node");
    try (Node node =
        new SingleNode(
            environment,
            List.of(
                org.opensearch.transport.Netty4Plugin.class,
                org.opensearch.painless.PainlessPlugin.class,
                org.opensearch.knn.plugin.KNNPlugin.class))) {
      node.start();
      while (System.in.read() >= 0) {}
    }
  }
}
